"""What our commands print, as it is recorded: each change of wording shows in a diff.

A file of ``scenarios`` is typed from its top to its end, in a home of its own. A scenario is a
line that names it, one with the command, and what that prints: standard output, then each line of
standard error behind ``2>``, then an exit status that is not 0. The command is written as for a
shell, with variables before ``openstack`` and ``< file`` for standard input, and nothing else.

To add one write the first two lines, and record the file: see CONTRIBUTING.rst.
"""

import dataclasses
import difflib
import functools
import pathlib
import re
import shlex
import time
from importlib.metadata import entry_points

import pytest

from osc_imgurl import Key, ObjectPath, Parameters, sign

from .locations import attackers_server, plant

SCENARIOS = pathlib.Path(__file__).with_name('scenarios')
CIRROS = '3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5'
KEY = 'the key of the scenarios'
FILES = {
    'key': KEY, 'other-key': 'another key of the scenarios', 'readable-key': KEY,
    'ironic.conf': '[glance]\nswift_account_prefix = AUTH\nswift_temp_url_duration = 3600\n',
    'images.txt': f'# two images\n{CIRROS}\nkernel\n',
}
# So many seconds live the URLs whose remaining time is shown.
DURATION = 4330
# What differs between two runs, or between releases of Python and cliff. The cells of a table lose
# their padding, so that a longer one changes its own line only.
REPLACED = {
    r'(temp_url_sig=)[^&\s"]+': r'\1<signature>',
    r'(temp_url_expires=)[^&<\s"]+': r'\1<expiry>',
    # The years 2020 and 2030 are those of examples.
    r'(?!20[23]0)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ': '<time>',
    r'\b\d+:\d\d:\d\d\b': '<duration>',
    r'\b[12]\d{9}\b': '<Unix time>',
    r'-?\b43[0-3]\d\b': '<seconds>',
    r'\bby -?\d s\b': 'by <seconds> s',
    r'(?m)\bin \d+\.\d s$': 'in <seconds> s',
    r'\btx[0-9a-f]{21}-[0-9a-f]{10}\S*\b': '<transaction>',
    r'(?<![-0-9a-f])[0-9a-f]{12}\b': '<fingerprint>',
    r'(?<=[0-9a-f]{12}/)[0-9a-f]{16}\b': '<random>',
    r'(127\.0\.0\.1:)\d\d+': r'\1<port>',
    r'(?m)^[+-]+$': lambda line: re.sub('-+', '-', line[0]),
    r'(?m)^\|.*': lambda line: re.sub(r'(?<=\|) +| +(?=\|)', ' ', line[0]),
    r'(links/[-0-9a-f]{36}/|\blink\W{1,4}|(?<!checksum )\| )[0-9a-f]{32}(?=[/" ])': r'\1<link>',
    r'(?s)\Ausage: .*?\n\n': lambda usage: re.sub(
        r' (?=\[)|(?<=\]) ', '\n    ', ' '.join(usage[0].split())) + '\n\n',
    r'(?s)\noutput formatters:\n.*?(?=\nExample)': '',
}


def fixed_id(number):
    return f'{number:08}-0000-4000-8000-000000000000'


def single_tenant(make_cloud):
    cloud = make_cloud()
    cloud.upload('cirros', b'cirros' * 1000, id=CIRROS)
    kernel = cloud.upload('kernel', b'kernel', color='blue', id=fixed_id(1))
    ramdisk = cloud.upload('ramdisk', b'ramdisk', color='blue', id=fixed_id(2))
    cloud.upload('machine', b'machine', kernel_id=kernel, ramdisk_id=ramdisk, id=fixed_id(3))
    cloud.upload('queued', id=fixed_id(4))
    deactivated = cloud.upload('deactivated', b'deactivated', id=fixed_id(5))
    assert cloud.sdk().image.post(f'/images/{deactivated}/actions/deactivate').ok
    gone = cloud.upload('gone', b'gone', id=fixed_id(6))
    assert cloud.sdk().object_store.delete(f'/glance/{gone}').ok
    cloud.upload('in files', b'in files', store='file1', id=fixed_id(7))
    for number in (8, 9):
        cloud.upload('twin', b'twin', id=fixed_id(number))
    cloud.upload('secret', b'secret', cloud='admin', visibility='private', id=fixed_id(10))
    assert cloud.sdk('demo').object_store.put('/public', headers={'X-Container-Read': '.r:*'}).ok
    return cloud


def multi_tenant(make_cloud):
    cloud = make_cloud('--store', 'multi-tenant')
    cloud.set_key(FILES['other-key'], cloud='demo')
    cloud.upload('own', b'own', cloud='demo', visibility='private', id=fixed_id(1))
    others = cloud.upload('cirros', b'cirros' * 1000, id=CIRROS)
    planted = cloud.upload('planted', cloud='demo', visibility='private', id=fixed_id(2))
    account = cloud.sdk().object_store.get_endpoint().rpartition('/')[2]
    with attackers_server() as (address, _):
        plant(cloud, planted, f'swift+http://{address}/v1/{account}/glance_{others}/{others}',
              store='swift1')
    return cloud


@pytest.fixture(scope='module')
def clouds(make_cloud):
    """Return a function that returns the cloud of a file."""
    make = functools.cache(lambda kind: kind(make_cloud))
    return lambda name: make(multi_tenant if name == 'multi-tenant' else single_tenant)


def urls(storage_url):
    """Return contents of files: a URL that works, and what others make of it."""
    endpoint, _, account = storage_url.partition('/v1/')
    image = ObjectPath(account, 'glance', CIRROS)
    revoked = ObjectPath(account, 'image-temp-url-links', f'{CIRROS}/{"5e" * 16}/cirros.raw')

    def signed(expires, key=KEY, path=image):
        return sign(Parameters(endpoint, path, expires), Key(key.encode())).url

    now = int(time.time())
    return {
        'valid-url': signed(now + DURATION), 'expired-url': signed(now - DURATION),
        'altered-url': signed(now + DURATION).replace(f'={now + DURATION}', f'={now + 86400}'),
        'other-keys-url': signed(now + DURATION, 'a key that nobody knows'),
        'link-url': signed(now + DURATION, path=revoked),
    }


def begin(cloud, home):
    """Return a cloud with one key, and a user's home as each file begins with it."""
    cloud.set_key(KEY)
    store = cloud.sdk().object_store
    remove = [f'X-Remove-{level}-Meta-Temp-URL-Key' for level in ('Account', 'Container')]
    store.post('/', headers={f'{remove[0]}-2': 'x'})
    store.post('/glance', headers={remove[1]: 'x', f'{remove[1]}-2': 'x'})
    for name, text in {**FILES, **urls(store.get_endpoint())}.items():
        (home / name).write_text(text)
        (home / name).chmod(0o644 if name == 'readable-key' else 0o600)
    return dataclasses.replace(cloud, home=home)


def typed(cloud, line):
    """Return what a command prints, and how it ends."""
    words = shlex.split(line)
    stdin = ''
    if '<' in words:
        *words, _, file = words
        stdin = (cloud.home / file).read_text()
    start = words.index('openstack')
    env = {'OS_CLOUD': 'glance', 'COLUMNS': '80', **dict(
        word.split('=', 1) for word in words[:start])}
    result = cloud.openstack(
        *words[start + 1:], cloud=env.pop('OS_CLOUD'), stdin=stdin, env=env)
    return ''.join([result.stdout, *(f'2> {line}\n' for line in result.stderr.splitlines()),
                    *([f'exit status {result.code}\n'] if result.code else [])])


def normalizer(cloud):
    """Return a function that replaces what is another in each run."""
    words = {str(cloud.home): '<home>', str(cloud.folder): '<cloud>'}
    words |= {cloud.sdk(user).session.get_project_id(): f'<{user} project>'
              for user in ('glance', 'demo', 'admin')}
    words |= {f':{port}': f':<{server}>' for server, port in cloud.ports.items()}

    def normalize(text):
        for value, word in words.items():
            text = text.replace(value, word)
        for pattern, word in REPLACED.items():
            text = re.sub(pattern, word, text)
        return text

    return normalize


@pytest.mark.parametrize('name', sorted(path.stem for path in SCENARIOS.glob('*.txt')))
def test_as_recorded(clouds, tmp_path, request, name):
    cloud = begin(clouds(name), tmp_path)
    normalize = normalizer(cloud)
    path = SCENARIOS / f'{name}.txt'
    recorded = path.read_text()
    happened = '\n'.join(
        f'{title}\n$ {line}\n{normalize(typed(cloud, line))}'
        for title, line in re.findall(r'^(# .*)\n\$ (.*)$', recorded, re.MULTILINE))
    if request.config.option.record:
        path.write_text(happened)
    elif happened != recorded:
        pytest.fail('\n'.join(difflib.unified_diff(
            recorded.splitlines(), happened.splitlines(), f'{name}.txt', 'now', lineterm='')),
            pytrace=False)


def test_each_command_has_its_help():
    commands = {point.name.replace('_', ' ') for point in entry_points(group='openstack.extension')
                if point.value.startswith('osc_imgurl.')}
    helped = re.findall(r'^\$ openstack (.*) --help$', (SCENARIOS / 'help.txt').read_text(),
                        re.MULTILINE)
    assert sorted(helped) == sorted(commands)
