"""openstack image temp url check: each fault, made for real, is named as itself."""

import contextlib
import dataclasses
import json
import re
import sqlite3
import time

import pytest
import requests
from swiftclient.utils import generate_temp_url

from osc_imgurl.tempurl.explain import MISTAKES, Signed
from osc_imgurl.tempurl.options import URLOptions, format_expires
from osc_imgurl.tempurl.signing import Key, Parameters, compute, sign, sign_path
from osc_imgurl.tempurl.url import ObjectPath, parse

from ..certificates import with_authority
from .proxy import proxy

CHECK = ['image', 'temp', 'url', 'check']
KEY = 'the account key of the checks'


@pytest.fixture(scope='module')
def cloud(make_cloud):
    cloud = make_cloud('--digests', 'sha256 sha512', '--methods', 'GET HEAD PUT POST')
    cloud.set_key(KEY)
    return cloud


@pytest.fixture(scope='module')
def other_image(cloud):
    return cloud.upload('other', b'other')


@pytest.fixture
def storage_url(cloud):
    return cloud.sdk().object_store.get_endpoint()


def checks(cloud, subject, *options, user='glance', **kwargs):
    """Return the rows by their check; the exit status says whether all passes."""
    result = cloud.openstack(*CHECK, subject, '-f', 'json', *options, cloud=user, **kwargs)
    rows = {row['check']: row for row in json.loads(result.stdout)}
    failed = [row for row in rows.values() if row['result'] == 'fail']
    assert result.code == (1 if failed else 0), result.text
    # What is skipped may say what would help.
    assert all(bool(row['remedy']) == (row['result'] == 'fail') for row in rows.values()
               if row['result'] != 'skipped')
    return rows


def cause(cloud, subject, *options, **kwargs):
    """Return name and detail of the one check that fails, beside the request itself."""
    rows = checks(cloud, subject, *options, **kwargs)
    failed = [row for row in rows.values() if row['result'] == 'fail' and
              row['check'] != 'request']
    assert len(failed) == 1, rows
    return failed[0]['check'], failed[0]['detail']


def create(cloud, image, *options, **kwargs):
    return cloud.create(image, '--no-check', *options, **kwargs)['url']


def signed(storage_url, name, *, key=KEY, digest='sha256', method='GET', path=None, expires=None,
           container='glance', **options):
    """Return a URL of the account's, with another path signed where one is given."""
    endpoint, _, account = storage_url.partition('/v1/')
    where = ObjectPath(account, container, name)
    expires = expires or int(time.time()) + 600
    url = sign(Parameters(endpoint, where, expires, URLOptions(method, **options), digest),
               Key(key.encode()))
    if path:
        wrong = sign_path(Key(key.encode()), path(str(where)), expires, method, digest=digest)
        return url.url.replace(url.signature, wrong)
    return url.url


def status(url, method='HEAD'):
    return requests.request(method, url, timeout=30).status_code


def test_all_passes(cloud, image, storage_url):
    for subject in ('cirros', image, create(cloud, image)):
        rows = checks(cloud, subject)
        assert list(rows) == [
            'image', 'store', 'server', 'clock', 'tempurl', 'expiry', 'digest', 'ip range',
            'account', 'container', 'key', 'path', 'query', 'method', 'object', 'size',
            'request']
        skipped = [row['check'] for row in rows.values() if row['result'] == 'skipped']
        assert skipped == ['ip range']
        assert rows['request']['detail'] == (
            f'HEAD to {storage_url.partition("/v1/")[0]}, without a token: HTTP 200')
    url = create(cloud, image)
    result = cloud.openstack(*CHECK, '-', stdin=url + '\n')
    assert result.code == 0 and 'account key' in result.stdout
    assert parse(url).signature not in result.text


def test_who_sees_no_key_still_learns_that_it_works(cloud, image):
    rows = checks(cloud, create(cloud, image), user='demo')
    assert (rows['request']['result'], rows['method']['detail']) == (
        'pass', 'Swift answers a GET')
    rows = checks(cloud, create(cloud, image), '--os-auth-type', 'none', '--endpoint-url',
                  cloud.sdk().object_store.get_endpoint(), user=None)
    assert rows['request']['result'] == 'pass'
    head = create(cloud, image, '--method', 'HEAD')
    assert cause(cloud, head, user='demo') == (
        'method', 'Swift answers a HEAD, and HTTP 401 to a GET')
    assert checks(cloud, head, '--method', 'HEAD', user='demo')['method']['result'] == 'pass'


def test_who_sees_no_key_is_told_whom_to_ask(cloud, image):
    url = create(cloud, image)
    altered = re.sub('sig=....', 'sig=0000', url)
    rows = checks(cloud, altered, user='demo')
    assert rows['key']['detail'].startswith('which keys are set cannot be seen')
    assert {name: row['remedy'] for name, row in rows.items()
            if row['remedy'] and row['result'] == 'skipped'} == dict.fromkeys(
                ('path', 'query', 'method'), 'Give the key (--key-file).')
    assert 'credentials of the project that owns the account' in rows['request']['remedy']


def test_expired(cloud, storage_url, image):
    url = signed(storage_url, image, expires=int(time.time()) - 200)
    assert status(url) == 401
    name, detail = cause(cloud, url)
    assert name == 'expiry' and detail.startswith('expired 3 min ago')


def test_an_expiry_in_milliseconds(cloud, storage_url, image):
    """Swift takes it, and so it works for tens of thousands of years."""
    now = int(time.time())
    url = signed(storage_url, image)
    expires = (now + 600) * 1000
    wrong = sign_path(Key(KEY.encode()), str(parse(url).path), expires)
    url = dataclasses.replace(parse(url), signature=wrong, expires=expires).url
    assert status(url, 'GET') == 200
    name, detail = cause(cloud, url)
    assert name == 'expiry' and f'{expires} is in milliseconds' in detail
    row = json.loads(cloud.openstack('image', 'temp', 'url', 'show', url, '-f', 'json').stdout)
    assert row['expires_at'] == f'{format_expires(now + 600)} (in milliseconds)'


def test_a_url_as_swiftclient_prints_it(cloud, storage_url, image):
    """Without a host; Glance is not asked about an image of that name."""
    path = generate_temp_url(f'/v1/{storage_url.rpartition("/")[2]}/glance/{image}', 600, KEY,
                             'GET')
    endpoint = cloud.sdk().session.get_endpoint(service_type='image').rstrip('/')
    with proxy(endpoint) as glance:
        env = cloud.config(image_endpoint_override=glance.url)
        for command, said in (
                (CHECK, 'Put scheme and host in front'),
                ([*CHECK[:3], 'show'], 'Put scheme and host in front'),
                ([*CHECK[:3], 'create'], 'This is a temporary URL, and not an image'),
                ([*CHECK[:3], 'export', '--for', 'curl'], 'This is a temporary URL')):
            result = cloud.openstack(*command, path, env=env)
            assert (result.code, said in result.stderr) == (1, True)
        assert glance.requests == []


def test_a_key_that_no_slot_holds(cloud, storage_url, image, key_file):
    url = signed(storage_url, image, key='of nobody')
    assert status(url) == 401
    name, detail = cause(cloud, url)
    assert name == 'key' and detail.startswith('signed with none of the keys that are set')
    cloud.secrets.append('of nobody')
    for subject in (url, image):
        name, detail = cause(cloud, subject, '--key-file', key_file('of nobody'))
        assert name == 'key' and 'which is in no slot' in detail


def test_a_key_that_has_been_replaced(cloud, image):
    cloud.set_key('an older key')
    url = create(cloud, image, '--cache')
    cloud.set_key(KEY)
    assert status(url) == 401
    name, detail = cause(cloud, url)
    assert name == 'key' and 'has been replaced' in detail


def test_no_key_at_all(cloud, image):
    url = create(cloud, image)
    store = cloud.sdk().object_store
    store.post('/', headers={'X-Remove-Account-Meta-Temp-URL-Key': 'x'})
    try:
        assert status(url) == 401
        for subject in (url, image):
            name, detail = cause(cloud, subject)
            assert name == 'key' and detail.lower().startswith('there is no temporary url key on')
    finally:
        cloud.set_key(KEY)


def test_a_digest_that_the_cluster_refuses(cloud, storage_url, image):
    url = signed(storage_url, image, digest='sha1')
    assert status(url) == 401
    wanted = ('digest', 'This cluster supports sha256, sha512, not the digest sha1')
    assert cause(cloud, url) == wanted
    assert cause(cloud, image, '--digest', 'sha1') == wanted


def test_another_method_than_the_signed_one(cloud, image):
    url = create(cloud, image, '--method', 'HEAD')
    assert status(url, 'GET') == 401
    assert cause(cloud, url) == ('method', 'the URL is signed for HEAD, and not good for GET')
    assert checks(cloud, url, '--method', 'HEAD')['method']['result'] == 'pass'


def test_a_method_that_the_cluster_refuses(cloud, storage_url, image):
    url = signed(storage_url, image, method='DELETE')
    assert status(url, 'DELETE') == 401
    for subject in (url, image):
        name, detail = cause(cloud, subject, '--method', 'DELETE')
        assert name == 'method'
        assert detail.endswith('not for DELETE')


def test_the_wrong_account(cloud, image, storage_url):
    demo = cloud.sdk('demo').object_store.get_endpoint()
    url = signed(demo, image)
    assert status(url) == 401
    right = storage_url.rpartition('/')[2]
    assert cause(cloud, url) == (
        'account', f'the object is in account {right}, and the URL says'
                   f' {demo.rpartition("/")[2]}')


def test_the_wrong_container(cloud, storage_url, image):
    url = signed(storage_url, image, container='elsewhere')
    assert status(url) == 404
    assert cause(cloud, url) == (
        'container', 'the image lies in container glance by its own location, and the URL says'
                     ' elsewhere')


def test_an_object_that_does_not_exist(cloud, storage_url, data):
    image_id = cloud.upload('without object', data)
    url = create(cloud, image_id)
    cloud.sdk().object_store.delete(f'/glance/{image_id}')
    assert status(url) == 404
    for subject in (url, image_id, signed(storage_url, 'nothing of the kind')):
        name, detail = cause(cloud, subject)
        assert name == 'object' and detail.startswith('there is no object ')


def test_an_altered_path(cloud, storage_url, image, other_image):
    url = create(cloud, image)
    for altered, original in (
            (url.replace(image, other_image), image),
            (signed(storage_url, image, path=lambda path: path.replace('glance', 'glanze')),
             None)):
        assert status(altered) == 401
        name, detail = cause(cloud, altered)
        if original:
            assert name == 'path' and f'/glance/{original} was signed' in detail
        else:
            # Nobody can tell this from another key.
            assert name == 'key' and 'or altered in more than one place' in detail


def test_a_path_that_was_percent_encoded_before_it_was_signed(cloud, storage_url):
    store = cloud.sdk().object_store
    store.put('/glance/an object', data=b'x')
    url = signed(storage_url, 'an object', path=lambda path: path.replace(' ', '%20'))
    assert status(url) == 401
    assert cause(cloud, url) == ('path', 'the path was percent-encoded before it was signed')
    assert checks(cloud, signed(storage_url, 'an object'))['request']['result'] == 'pass'
    store.delete('/glance/an object')


def test_what_other_programs_sign_by_mistake(cloud, storage_url, image):
    url = parse(signed(storage_url, image))
    right = Signed('GET', url.expires, str(url.path))
    tried = 0
    for mistake in MISTAKES:
        for text in mistake.messages(url, right):
            wrong = dataclasses.replace(url, signature=compute(
                text, KEY.encode() + mistake.key_end, 'sha256').hex()).url
            # At this endpoint, and with this name, some are what is right.
            if status(wrong, 'GET') == 401:
                assert cause(cloud, wrong) == (mistake.part, mistake.name)
                tried += 1
    assert tried == 13


@pytest.mark.parametrize('digest', ['sha256', 'sha512'])
def test_an_altered_expiry(cloud, image, digest):
    url = create(cloud, image, '--digest', digest)
    expires = parse(url).expires
    altered = url.replace(str(expires), str(expires + 86_400))
    assert status(altered) == 401
    assert cause(cloud, altered) == (
        'query', f"the expiry has been altered: '{format_expires(expires)}' was signed, and the"
                 f" URL says '{format_expires(expires + 86_400)}'")


def test_an_altered_expiry_that_the_cache_remembers(cloud, image):
    """So far ahead that nobody would find it by trying."""
    url = create(cloud, image, '--cache', '--expires-at', '2040-01-01T00:00:00Z')
    altered = url.replace(str(parse(url).expires), '2222222222')
    assert status(altered) == 401
    name, detail = cause(cloud, altered)
    assert name == 'query' and "'2040-01-01T00:00:00Z' was signed" in detail


def test_what_is_altered_twice_and_the_cache_remembers(cloud, image, other_image):
    url = create(cloud, image, '--cache', '--expires-at', '2039-01-01T00:00:00Z')
    altered = url.replace(image, other_image).replace(str(parse(url).expires), '2222222222')
    assert status(altered) == 401
    name, detail = cause(cloud, altered)
    assert name == 'path' and f'/glance/{image} was signed' in detail


def test_a_cache_that_lies(cloud, image):
    """What the cache says of a signature is trusted only if no key says otherwise."""
    url = create(cloud, image, '--cache', '--expires-at', '2038-01-01T00:00:00Z')
    file = cloud.home / '.cache/osc-imgurl/urls.sqlite'
    for lie in ("expires = 2222222222, method = 'PUT'", "account = 'a/b'", "container = ''"):
        with contextlib.closing(sqlite3.connect(file)) as database, database:
            database.execute(
                f'UPDATE entries SET {lie} WHERE expires = {parse(url).expires}')  # noqa: S608
        assert all(row['result'] in ('pass', 'skipped') for row in checks(cloud, url).values())
        altered = url.replace(str(parse(url).expires), '2111111111')
        assert status(altered) == 401
        name, detail = cause(cloud, altered)
        assert name == 'key' and 'or altered in more than one place' in detail
        create(cloud, image, '--cache', '--expires-at', '2038-01-01T00:00:00Z')


def test_an_altered_prefix(cloud, image):
    url = create(cloud, image, '--object-prefix', image[:8])
    altered = url.replace(f'prefix={image[:8]}', f'prefix={image[:4]}')
    assert status(altered) == 401
    name, detail = cause(cloud, altered)
    assert (name, f'{image[:8]!r} was signed' in detail) == ('query', True)
    bare = url.replace(f'&temp_url_prefix={image[:8]}', '')
    assert status(bare) == 401
    assert cause(cloud, bare)[0] == 'query'


def test_an_altered_ip_range(cloud, image):
    url = create(cloud, image, '--ip-range', '127.0.0.0/16')
    altered = url.replace('127.0.0.0/16', '127.0.0.0/8')
    assert status(altered) == 401
    assert cause(cloud, altered) == (
        'query', "the IP range has been altered: '127.0.0.0/16' was signed, and the URL says"
                 " '127.0.0.0/8'")
    added = create(cloud, image) + '&temp_url_ip_range=127.0.0.0/8'
    assert status(added) == 401
    assert 'none was signed' in cause(cloud, added)[1]


def test_an_address_outside_the_ip_range(cloud, image):
    url = create(cloud, image, '--ip-range', '203.0.113.0/24')
    assert status(url) == 401
    assert cause(cloud, url) == (
        'ip range', "this machine's address 127.0.0.1 is not in 203.0.113.0/24")


def test_an_image_that_is_not_in_swift(cloud, data):
    image_id = cloud.upload('in files', data, store='file1')
    name, detail = cause(cloud, 'in files')
    assert name == 'store' and f'({image_id}) is not in Swift but in file' in detail


def test_an_image_that_is_not_active(cloud, data):
    image_id = cloud.upload('sleeping', data)
    url = create(cloud, image_id)
    cloud.sdk().image.post(f'/images/{image_id}/actions/deactivate')
    for subject in (url, 'sleeping'):
        name, detail = cause(cloud, subject)
        assert name == 'image' and 'is deactivated' in detail
    assert cause(cloud, cloud.upload('without data'))[0] == 'image'


def test_an_object_of_another_size(cloud, data):
    image_id = cloud.upload('cut off', data)
    cloud.sdk().object_store.put(f'/glance/{image_id}', data=data[:1000])
    check, detail = cause(cloud, image_id)
    assert check == 'object' and 'the object is not the data of the image: its MD5 is' in detail


@pytest.fixture
def foreign():
    """A server of an untrusted user's, which answers as a Swift that has every object."""
    with proxy('http://nowhere') as server:
        server.plan = [(200, {'X-Trans-Id': 'tx', 'Content-Length': '300000'})] * 9
        yield server


@pytest.mark.parametrize('path', ['', '/swift'])
def test_a_foreign_host(cloud, image, storage_url, foreign, path):
    """Whatever it answers proves nothing, so that it is not asked."""
    endpoint = storage_url.partition('/v1/')[0]
    url = create(cloud, image).replace(endpoint, foreign.url + path)
    for user in ('glance', 'demo'):
        rows = checks(cloud, url, user=user)
        assert [name for name, row in rows.items() if row['result'] == 'fail'] == ['server']
        assert rows['server']['detail'] == (
            f'{foreign.url}{path} is a foreign endpoint and is not asked: no setting and no catalog'
            ' names it')
        assert 'name it' in rows['server']['remedy']
        assert '(--endpoint-url)' in rows['server']['remedy']
    rows = checks(cloud, url, '--os-auth-type', 'none', user=None)
    assert rows['server']['result'] == 'fail' and not foreign.requests
    # Who names it trusts it; but no key has signed another path.
    other = url.replace(image, '0' * 8 + image[8:])
    named = '--endpoint-url', foreign.url + path
    name, detail = cause(cloud, other, *named)
    assert (name, 'signed with none of the keys that are set' in detail) == ('key', True)
    assert foreign.requests


@pytest.mark.parametrize(('old', 'new'), [
    ('http://', 'https://'), ('127.0.0.1', 'localhost'), ('127.0.0.1', '127.1'),
    ('127.0.0.1', '127.0.0.1.'), ('/v1/', '//v1/'),
    ('127.0.0.1', '[::ffff:127.0.0.1]')])
def test_another_way_to_the_same_host_is_foreign(cloud, image, old, new):
    url = create(cloud, image).replace(old, new, 1)
    result = cloud.openstack(*CHECK, url, '-f', 'json')
    assert result.code == 1
    server = next(row for row in json.loads(result.stdout) if row['check'] == 'server')
    assert 'is a foreign endpoint' in server['detail']


def test_another_spelling_of_the_same_host(cloud, image):
    url = create(cloud, image).replace('http://', 'HTTP://')
    assert checks(cloud, url)['request']['result'] == 'pass'


def test_a_key_that_is_not_shown_and_works(cloud, image, storage_url):
    """A proxy answers from its cache, or Swift does: a key that is gone may work for a while."""
    with proxy(storage_url.partition('/v1/')[0]) as swift:
        named = '--endpoint-url', swift.url
        url = create(cloud, image, *named)
        cloud.set_key('the key of tomorrow')
        try:
            swift.plan = [(200, {'X-Trans-Id': 'tx'})] * 2
            name, detail = cause(cloud, url, *named)
            assert name == 'key' and 'signed with none of the keys that are set' in detail
            rows = checks(cloud, url, *named, user='demo')
            assert rows['key']['detail'] == 'Swift knows the key'
        finally:
            cloud.set_key(KEY)


def test_something_else_than_swift_answers(cloud, image):
    keystone = cloud.sdk().config.get_auth_args()['auth_url'].rpartition('/')[0]
    named = '--endpoint-url', keystone
    name, detail = cause(cloud, create(cloud, image, *named), *named)
    assert name == 'server' and 'the answer has no X-Trans-Id' in detail


def test_nobody_answers(cloud, image, storage_url):
    with proxy('http://nowhere') as unused:
        pass
    named = '--endpoint-url', unused.url
    name, detail = cause(cloud, create(cloud, image, *named), *named)
    assert (name, detail.endswith('connection refused')) == ('server', True)
    tls = storage_url.partition('/v1/')[0].replace('http:', 'https:')
    name, detail = cause(cloud, create(cloud, image, '--endpoint-url', tls), '--endpoint-url', tls)
    assert name == 'server' and 'does not speak TLS' in detail


def test_a_certificate_that_is_not_accepted(cloud, image, storage_url, tmp_path):
    path = tmp_path / 'certificate'
    path.write_bytes(with_authority())
    with proxy(storage_url.partition('/v1/')[0], path) as swift:
        named = '--endpoint-url', swift.url
        url = create(cloud, image, *named)
        name, detail = cause(cloud, url, *named)
        assert name == 'server' and 'an authority that is not trusted here' in detail
        rows = checks(cloud, url, *named, env={'OS_CACERT': str(path)})
        assert rows['request']['result'] == 'pass'


@pytest.mark.parametrize(('step', 'wanted'), [
    ((500, {}), 'answers HTTP 500'), ((503, {}), 'answers HTTP 503'),
    ('delay', 'there is no answer in time'),
    ('drop', 'the connection is closed before an answer comes')])
def test_swift_answers_5xx_or_not_in_time(cloud, image, storage_url, step, wanted):
    with proxy(storage_url.partition('/v1/')[0]) as swift:
        named = '--endpoint-url', swift.url
        url = create(cloud, image, *named)
        assert checks(cloud, url, *named)['request']['result'] == 'pass'
        swift.plan = [step] * 3
        name, detail = cause(cloud, url, *named, env=cloud.config(api_timeout=3))
        assert name == 'server' and wanted in detail


def test_keystone_answers_5xx(cloud, image):
    """OSC itself asks Keystone for the token, before the command runs."""
    auth = cloud.sdk().config.config['auth']
    with proxy(auth['auth_url'].rpartition('/')[0]) as keystone:
        keystone.plan = [(500, {})] * 9
        env = cloud.config(auth={**auth, 'auth_url': f'{keystone.url}/v3'})
        result = cloud.openstack(*CHECK, image, env=env)
        assert result.code == 1 and 'HTTP 500' in result.stderr


def test_what_is_no_temporary_url(cloud):
    result = cloud.openstack(*CHECK, 'http://swift/v1/AUTH_x/glance/x')
    assert (result.code, result.stdout) == (1, '')
    assert 'This is not a temporary URL' in result.stderr
    rows = checks(cloud, 'no such image')
    assert list(rows) == ['image'] and 'No image has the name' in rows['image']['detail']


def test_a_file_in_place_of_the_url_in_it(cloud, image, tmp_path):
    path = tmp_path / 'a url'
    path.write_text(create(cloud, image))
    rows = checks(cloud, str(path))
    assert [row['remedy'] for row in rows.values()] == [
        f"If the URL is in the file of that name: use - < '{path}'"]
    assert checks(cloud, '-', stdin=path.read_text())['request']['result'] == 'pass'


def test_no_secret_in_debug_output(cloud, image, storage_url):
    """Cloud.openstack asserts it; this sees to it that there was something to be printed."""
    with proxy(storage_url.partition('/v1/')[0]) as swift:
        url = create(cloud, image, '--endpoint-url', swift.url)
        swift.plan = ['drop', (503, {})]
        altered = re.sub('sig=....', 'sig=0000', url)
        result = cloud.openstack('--debug', *CHECK, '-', '--endpoint-url', swift.url,
                                 stdin=altered)
    assert result.code == 1
    assert 'Request without a token: HEAD' in result.stderr
    assert 'Incremented Retry' in result.stderr
    assert parse(url).signature[4:] not in result.text
