"""What README, the manual and the commands' help tell people to type, typed into a shell.

The recipes of a page run in its order, in a home where nothing was done before, and on real
clouds that have the images and the clouds' names of the manual.
"""

import csv
import dataclasses
import datetime
import html
import importlib.util
import io
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import textwrap
import time
import urllib.parse
from importlib.metadata import entry_points

import pytest
import requests
import yaml

from . import commands
from .conftest import ROOT, download
from .proxy import proxy
from .test_export import ISO

PAGES = {path.stem: path
         for path in (ROOT / 'README.rst', *sorted((ROOT / 'doc/source').rglob('*.rst')))}
# The directive, its language, and the lines that are indented more than it is.
BLOCK = re.compile(r'^( *)\.\. code-block:: (\w+)\n((?:\1 +\S.*\n|\s*\n)+)', re.MULTILINE)
KEY = 'the key of the recipes'
BASH = shutil.which('bash')

NOT_TYPED = {
    'tools/demo': 'these are the demonstration and the tests themselves',
    'tools/cloud': 'the fixtures do it',
    'export PATH=': 'the desk has them',
    'pip install .': 'test_installed.py does it, with uv',
    'openstack image temp url create cirros --revocable': 'test_links.py does it',
}
# Whose credentials the reader of a page has, where these are not an operator's.
READERS = {'end-users': 'user', 'any-image': 'member', 'friend': 'member'}
# What cannot exist here, and what stands for it.
PROXY, GLANCE_CONF, IRONIC_CONF, ALICE = (
    'http://proxy.example.com', '/etc/glance/glance-api.conf', '/etc/ironic/ironic.conf',
    'alice --project')


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What stands in one block: lines to type, and what they are said to print, if anything."""

    commands: str
    shown: str = ''


def recipes(text):
    """Return the recipes of a page, in its order."""
    found = []
    for _, language, block in BLOCK.findall(text):
        lines = textwrap.dedent(block).strip()
        if language == 'console':
            command, shown = re.fullmatch(r'\$ (.*)\n([^$]*)', lines).groups()
            found.append(Recipe(command, shown))
        elif language == 'sh':
            found.append(Recipe(lines))
    return found


def drawn_recipes():
    """Return what README's picture shows, which tools/picture draws."""
    lines = [html.unescape(line) for line in re.findall(
        '<text[^>]*>(.*)</text>', (ROOT / 'doc/source/_static/picture.svg').read_text())]
    return [Recipe(*re.fullmatch(r'((?:.*\\\n)*.*)\n((?s:.*))', each).groups())
            for each in re.split(r'^\$ ', '\n'.join([*lines, '']), flags=re.MULTILINE)[1:]]


def help_recipes():
    """Return the examples in the commands' help."""
    spec = importlib.util.spec_from_file_location(
        'command_reference', ROOT / 'doc/source/_ext/command_reference.py')
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    return [Recipe(commands) for entry in sorted(entry_points(group='openstack.extension'))
            if entry.value.startswith('osc_imgurl')
            for _, commands in reference.examples(entry.load())]


RECIPES = {'help': help_recipes(), 'picture': drawn_recipes(),
           **{name: found for name, path in PAGES.items() if (found := recipes(path.read_text()))}}


@dataclasses.dataclass
class Desk:
    """A home where nothing was done before, and the clouds that its clouds.yaml knows."""

    home: pathlib.Path
    single: object
    multi: object
    proxy: object
    data: dict

    def sit_down(self, page):
        """Make the home of a page's reader; its clouds are an operator's, and users'."""
        shutil.rmtree(self.home, ignore_errors=True)
        config = self.home / '.config/openstack/clouds.yaml'
        config.parent.mkdir(parents=True)
        operator, member, user, admin = (
            yaml.safe_load((cloud.folder / 'clouds.yaml').read_text())['clouds'][name]
            for cloud, name in ((self.single, 'glance'), (self.single, 'demo'),
                                (self.multi, 'demo'), (self.single, 'admin')))
        clouds = {'service': operator, 'here': operator, 'there': user, 'user': user,
                  'member': member, 'alice': member, 'admin': admin}
        config.write_text(yaml.safe_dump({'clouds': clouds}))
        config.chmod(0o600)
        (self.home / 'ironic.conf').write_text('[glance]\nswift_temp_url_duration = 7200\n')
        (self.home / 'key').write_text(KEY)
        (self.home / 'key').chmod(0o600)
        self.env = {**commands.ENVIRONMENT, 'HOME': str(self.home),
                    'OS_CLOUD': READERS.get(page, 'service')}

    def prepare(self, recipe):
        """Make true what stands in front of a recipe."""
        if 'key set' in recipe.commands:
            # "Where there is no key yet".
            self.remove_keys('glance' if '--container' in recipe.commands else '')
        if 'copy delete' in recipe.commands:
            # No key is to be seen.
            self.remove_keys('')
            self.type(Recipe('openstack image temp url create cirros --copy'))
            self.single.set_key(KEY)
        if '--slot 2' in recipe.commands:
            self.single.set_key('a second key of the recipes', slot='-2')
        if recipe.commands.endswith('--finish --longest 7d'):
            self.wait(7 * 86400)
        if '< url' in recipe.commands and not (' link ' in recipe.commands and self.has_link()):
            self.single.set_key(KEY)
            url = self.single.create(
                'cirros', *(['--revocable'] if ' link ' in recipe.commands else []))['url']
            if ' fail ' in recipe.commands + recipe.shown:
                # "The expiry has been altered", to the day after.
                expires = int(url.rpartition('=')[2])
                url = url.replace(str(expires), str(expires + 86400))
            (self.home / 'url').write_text(url)

    def wait(self, seconds):
        """Have a rotation of the account's keys begin so much earlier."""
        name, store = 'X-Account-Meta-Temp-Url-Rotation', self.single.sdk().object_store
        began, key = store.head('/').headers[name].split()
        assert store.post('/', headers={name: f'{int(began) - seconds} {key}'}).ok

    def has_link(self):
        """Say whether the reader has a URL that can be revoked."""
        url = self.home / 'url'
        return url.exists() and requests.head(url.read_text().strip(), timeout=30).ok

    def type(self, recipe):
        """Type a recipe, and return what it printed."""
        typed = recipe.commands
        for name, stands_for in ((PROXY, self.proxy.url),
                                 (GLANCE_CONF, self.single.folder / 'glance/glance-api.conf'),
                                 (IRONIC_CONF, self.home / 'ironic.conf'),
                                 (ALICE, 'demo --project')):
            typed = typed.replace(name, str(stands_for))
        done = commands.shell(BASH, typed, folder=self.home.parent, cwd=self.home, env=self.env)
        for secret in (*self.single.secrets, *self.multi.secrets):
            assert secret not in done.stdout + done.stderr, 'a secret was printed'
        expected = 1 if '| fail ' in recipe.shown else 0
        assert done.returncode == expected, f'{typed}\n{done.stdout}{done.stderr}'
        return done.stdout

    def keys(self, cloud, user, container=''):
        """Return the keys of an account or a container, by slot."""
        level = 'Container' if container else 'Account'
        head = cloud.sdk(user).object_store.head(f'/{container}')
        return {slot: head.headers.get(f'X-{level}-Meta-Temp-Url-Key{slot}')
                for slot in ('', '-2')}

    def remove_keys(self, container):
        """Remove the keys of a container, or those of both accounts."""
        level = 'Container' if container else 'Account'
        for cloud, user in ((self.single, 'glance'),
                            *([] if container else [(self.multi, 'demo')])):
            removed = cloud.sdk(user).object_store.post(f'/{container}', headers={
                f'X-Remove-{level}-Meta-Temp-URL-Key{slot}': 'x' for slot in ('', '-2')})
            assert removed.status_code == 204, removed.text


@pytest.fixture(scope='module')
def desk(make_cloud, tmp_path_factory, data):
    single, multi = make_cloud(), make_cloud('--store', 'multi-tenant')
    contents = {'cirros': data, 'deploy': data[:1000], 'deploy-kernel': data[:2000],
                'deploy-ramdisk': data[:3000], 'my-image': data[:4000],
                'bootstrap': b'{"ignition": {"version": "3.1.0"}}', 'user-data': b'#cloud-config\n',
                'live': ISO}
    single.upload('cirros', contents['cirros'])
    boot = {f'{name}_id': single.upload(f'deploy-{name}', contents[f'deploy-{name}'],
                                        tags=['deploy'])
            for name in ('kernel', 'ramdisk')}
    single.upload('deploy', contents['deploy'], tags=['deploy'], **boot)
    for name in ('bootstrap', 'user-data'):
        single.upload(name, contents[name])
    single.upload('live', ISO, disk_format='iso')
    multi.upload('my-image', contents['my-image'], cloud='demo', visibility='private')
    with proxy(single.sdk().object_store.get_endpoint().partition('/v1/')[0]) as running:
        yield Desk(tmp_path_factory.mktemp('desk') / 'home', single, multi, running, contents)


def rows(text):
    """Return the rows of a table, its head first; what is continued below is joined."""
    found = []
    for line in text.splitlines():
        if line.startswith('| '):
            cells = [cell.strip() for cell in line.split('|')[1:-1]]
            if cells[0]:
                found.append(cells)
            else:
                found[-1] = list(map(''.join, zip(found[-1], cells, strict=True)))
    return found


# What a reader relies on after a recipe, beside its success.

def prints_what_is_shown(desk, recipe, printed):
    # On a terminal the URL is below the table.
    shown, printed = dict(rows(recipe.shown)), dict(rows(printed))
    assert printed.pop('url')
    assert list(printed) == list(shown)
    for same in ('method', 'digest', 'image_name', 'container', 'cached'):
        assert printed[same] == shown[same]


def finds_what_is_shown(desk, recipe, printed):
    assert [row[:2] for row in rows(printed)] == [row[:2] for row in rows(recipe.shown)]
    assert 'the expiry has been altered' in printed


def finds_what_fails(desk, recipe, printed):
    assert ([line.split()[:4] for line in printed.splitlines()]
            == [line.split()[:4] for line in recipe.shown.splitlines()])


def gets(image, file):
    def see(desk, recipe, printed):
        assert (desk.home / file).read_bytes() == desk.data[image]
    return see


def gets_what_was_uploaded(desk, recipe, printed):
    assert (desk.home / 'first.img').read_bytes() == (desk.home / 'data').read_bytes()


def gets_by_its_id(desk, recipe, printed):
    file, = desk.home.glob('*.img')
    assert file.stem == desk.single.sdk().image.find_image('cirros').id
    assert file.read_bytes() == desk.data['cirros']


def gets_through_the_proxy(desk, recipe, printed):
    gets('cirros', 'cirros.img')(desk, recipe, printed)
    assert any(request.startswith('GET /v1/') for request in desk.proxy.requests)


def lists_what_boots(desk, recipe, printed):
    found = dict(line.split() for line in printed.splitlines())
    assert list(found) == ['image', 'kernel', 'ramdisk']
    for role, url in found.items():
        assert download(url) == desk.data['deploy' if role == 'image' else f'deploy-{role}']


def lists_all_three(desk, recipe, printed):
    assert {row[1] for row in rows(printed)[1:]} == {'deploy', 'deploy-kernel', 'deploy-ramdisk'}


def lists_the_tagged(desk, recipe, printed):
    found = {row['image_name']: row['url'] for row in csv.DictReader(io.StringIO(printed))}
    assert set(found) == {'deploy', 'deploy-kernel', 'deploy-ramdisk'}
    for name, url in found.items():
        assert download(url) == desk.data[name]


def boots(desk, recipe, printed):
    first, kernel, initrd, last = (desk.home / 'boot.ipxe').read_text().splitlines()
    assert (first, last) == ('#!ipxe', 'boot')
    assert download(kernel.removeprefix('kernel ')) == desk.data['deploy-kernel']
    assert download(initrd.removeprefix('initrd ')) == desk.data['deploy-ramdisk']


def sets_a_key(cloud, user, container=''):
    def see(desk, recipe, printed):
        key = desk.keys(getattr(desk, cloud), user, container)['']
        assert len(key) >= 32
        assert key not in printed
        if '--key-file' in recipe.commands:
            assert (desk.home / 'temp-url-key').read_text().strip() == key
    return see


def lists_the_copy(desk, recipe, printed):
    # Other pages make copies too.
    header, *names = [row[1] for row in rows(printed)]
    assert header == 'image_name' and names.count('cirros') == 1


def keeps_the_old_key(desk, recipe, printed):
    keys = set(desk.keys(desk.single, 'glance').values())
    assert len(keys) == 2 and KEY in keys and None not in keys


def rotates(desk, recipe, printed):
    keys = set(desk.keys(desk.single, 'glance').values())
    assert len(keys) == 2 and None in keys
    assert KEY not in keys


def the_url(status):
    def see(desk, recipe, printed):
        url = (desk.home / 'url').read_text().strip()
        assert '/image-temp-url-links/' in url
        assert requests.head(url, timeout=30).status_code == status
    return see


def completes(desk, recipe, printed):
    script = desk.home / '.local/share/bash-completion/completions/openstack'
    subprocess.run([BASH, '-n', script], check=True)
    assert "cmds_image_temp_url_key='list rotate set unset'" in script.read_text()


def imports(desk, recipe, printed):
    copied, = desk.multi.sdk('demo').image.images(name='cirros')
    assert (copied.status, copied.disk_format) == ('active', 'raw')


def tells_ironic(image):
    def see(desk, recipe, printed):
        told = json.loads((desk.home / 'instance-info.json').read_text())
        assert download(told['image_source']) == desk.data[image]
    return see


def boots_with_parameters(desk, recipe, printed):
    script = (desk.home / 'boot.ipxe').read_text()
    assert ' initrd=ramdisk console=ttyS0 quiet ' in script
    kernel, ramdisk = re.findall('http[^ ]*', script)
    assert download(kernel) == desk.data['deploy-kernel']
    assert download(ramdisk) == desk.data['deploy-ramdisk']


def tells(image, file):
    """Say that a file has one URL, and nothing behind it on its line, of an image."""
    def see(desk, recipe, printed):
        url, = re.findall(r'http[^"\s]*', (desk.home / file).read_text())
        assert download(url) == desk.data[image]
    return see


def writes_files(desk, recipe, printed):
    paths = printed.split()
    assert paths == ['handed-over/deploy.raw.json', 'handed-over/cirros.raw.json']
    for path in paths:
        assert (desk.home / path).stat().st_mode & 0o777 == 0o600
        assert json.loads((desk.home / path).read_text())['image_source']


def sets_each_node(desk, recipe, printed):
    commands = [shlex.split(line)
                for line in (desk.home / 'set-images.sh').read_text().splitlines()]
    assert [command[-1] for command in commands] == ['node-1', 'node-2', 'node-3']
    urls = {command[4].removeprefix('--instance-info=image_source=') for command in commands}
    assert len(urls) == 3 and all(download(url) == desk.data['cirros'] for url in urls)


def tells_metal3(desk, recipe, printed):
    told = yaml.safe_load((desk.home / 'image.yaml').read_text())
    assert download(told['spec']['image']['url']) == desk.data['cirros']


def tells_cdi(desk, recipe, printed):
    told = yaml.safe_load((desk.home / 'volume.yaml').read_text())
    assert download(told['spec']['source']['http']['url']) == desk.data['cirros']


def limits_a_link(desk, recipe, printed):
    query = urllib.parse.urlsplit(dict(rows(printed))['url']).query
    given = dict(urllib.parse.parse_qsl(query))
    assert given['temp_url_ip_range'] == '203.0.113.0/24'
    assert given['filename'] == 'my-image.raw'


def says_what_is_in_a_link(desk, recipe, printed):
    assert dict(rows(printed))['remaining'].startswith('0:')


def passes(desk, recipe, printed):
    assert {row['result'] for row in json.loads(printed)} == {'pass', 'skipped'}


def lasts_as_ironic_says(desk, recipe, printed):
    row = dict(rows(printed))
    expires = datetime.datetime.fromisoformat(row['expires_at']).timestamp()
    assert expires > time.time() + 7000


OUTCOMES = {
    ('README', 'openstack image temp url check'): finds_what_fails,
    ('any-image', 'url='): gets('cirros', 'cirros.img'),
    ('any-image', 'openstack image temp url copy list'): lists_the_copy,
    ('README', 'url='): gets('cirros', 'cirros.img'),
    ('README', '# Any image'): keeps_the_old_key,
    ('bare-metal', 'openstack image temp url list deploy --with'): lists_what_boots,
    ('bare-metal', 'openstack image temp url list deploy deploy-kernel'): lists_all_three,
    ('bare-metal', 'kernel='): boots,
    ('commands', 'row='): gets_by_its_id,
    ('many', 'openstack image temp url list --tag deploy --duration'): lists_the_tagged,
    ('caching', 'url='): gets_through_the_proxy,
    ('copy', 'row='): imports,
    ('end-users', 'openstack image temp url key set'): sets_a_key('multi', 'demo'),
    ('end-users', 'openstack image temp url create my-image --duration'): limits_a_link,
    ('end-users', 'url='): gets('my-image', 'my-image.qcow2'),
    ('end-users', 'openstack image temp url create my-image -f'): says_what_is_in_a_link,
    ('failing', 'openstack image temp url check'): finds_what_is_shown,
    ('friend', 'openstack image temp url copy list'): lists_the_copy,
    ('hand-over', 'openstack image temp url export deploy --for ironic'): tells_ironic('deploy'),
    ('hand-over', 'openstack image temp url export deploy cirros --for ironic'): writes_files,
    ('hand-over', 'openstack image temp url export cirros --for ironic'): sets_each_node,
    ('hand-over', 'openstack image temp url export live'): tells('live', 'media.json'),
    ('hand-over', 'openstack image temp url export bootstrap'): tells('bootstrap', 'pointer.ign'),
    ('hand-over', 'openstack image temp url export user-data'): tells('user-data', 'include.txt'),
    ('hand-over', 'openstack image temp url export cirros --for ansible'):
        tells('cirros', 'images.yaml'),
    ('hand-over', 'openstack image temp url export deploy --for ipxe'): boots_with_parameters,
    ('hand-over', 'openstack image temp url export cirros --for metal3'): tells_metal3,
    ('hand-over', 'openstack image temp url export cirros --for cdi'): tells_cdi,
    ('hand-over', 'openstack image temp url export cirros --for curl'):
        gets('cirros', 'cirros.raw'),
    ('help', 'openstack image temp url export'): gets('cirros', 'cirros.raw'),
    ('help', 'url='): gets('cirros', 'cirros.img'),
    ('help', 'openstack image temp url key rotate --finish'): rotates,
    ('take-back', 'openstack image temp url link extend'): the_url(200),
    ('take-back', 'openstack image temp url link revoke'): the_url(404),
    ('install', 'mkdir'): completes,
    ('ironic', 'openstack image temp url create'): lasts_as_ironic_says,
    ('operators', 'openstack --os-cloud service image temp url key set --generate --container'):
        sets_a_key('single', 'glance', 'glance'),
    ('operators', 'openstack --os-cloud service image temp url key rotate --finish'): rotates,
    ('operators', 'openstack --os-cloud service image temp url check'): passes,
    ('picture', 'sed -i'): finds_what_is_shown,
    ('security', 'openstack image temp url key rotate --finish'): rotates,
    ('tutorial', 'openstack image temp url create first'): prints_what_is_shown,
    ('tutorial', 'openstack image temp url create first -f'): gets_what_was_uploaded,
    ('tutorial', 'openstack image temp url check'): finds_what_fails,
}


def outcome(page, recipe):
    """Return what is to be seen after a recipe: that with the longest beginning of it."""
    matching = [(len(start), see) for (where, start), see in OUTCOMES.items()
                if where == page and recipe.commands.startswith(start)]
    return max(matching, key=lambda each: each[0])[1] if matching else None


@pytest.mark.needs('bash', 'curl')
@pytest.mark.parametrize('page', RECIPES)
def test_recipes(page, desk):
    """The recipes of a page, one after another, as its reader types them."""
    assert desk.single.openstack('image', 'temp', 'url', 'link', 'revoke', '--all').code == 0
    desk.remove_keys('')
    desk.remove_keys('glance')
    desk.single.set_key(KEY)
    desk.sit_down(page)
    for recipe in RECIPES[page]:
        if not recipe.commands.startswith(tuple(NOT_TYPED)):
            desk.prepare(recipe)
            printed = desk.type(recipe)
            if see := outcome(page, recipe):
                see(desk, recipe, printed)


def test_no_list_names_what_is_no_recipe():
    for start in NOT_TYPED:
        assert any(recipe.commands.startswith(start)
                   for found in RECIPES.values() for recipe in found), start
    for page, start in OUTCOMES:
        assert any(recipe.commands.startswith(start) for recipe in RECIPES[page]), start


@pytest.mark.parametrize('page', PAGES)
def test_every_block_says_what_is_in_it(page):
    """A block without a language would not be found, and not be typed."""
    text = PAGES[page].read_text()
    assert re.findall(r'^(?! *\.\. ).*::$', text, re.MULTILINE) == []
    assert len(re.findall(r'\.\. code-block::', text)) == len(BLOCK.findall(text))
    assert set(re.findall(r'\.\. code-block:: (\w+)', text)) <= {
        'console', 'nginx', 'python', 'sh', 'terraform', 'text', 'yaml'}
