"""What Glance and Swift may answer instead of what they were asked for: one line that names them.

The tables say what is said, by request and fault. Each row is asked of a proxy in front of the real
server, which answers the rest.
"""

import io
import re

import pytest

from osc_imgurl.errors import ImageNotFound, ImgurlError
from osc_imgurl.glance.image_service import ImageService
from osc_imgurl.swift.answers import ACCOUNT_SLOTS
from osc_imgurl.swift.object_store import ObjectStore
from osc_imgurl.swift.probe import Probe
from osc_imgurl.tempurl.endpoint import Endpoint
from osc_imgurl.tempurl.signing import Key

from .conftest import IMAGE_META, download
from .proxy import proxy

# Of Python's own messages, and of its values.
PYTHONS_WORDS = re.compile(
    r"Traceback|Error|Exception|Errno|NoneType|\bNone\b|\b(dict|str|int|object has no)\b|'id'|0x")


def answer(status='200 OK', body=b'', **headers):
    head = ''.join(f'{name.replace("_", "-")}: {value}\r\n' for name, value in {
        'Content_Type': 'application/json', 'Content_Length': len(body),
        'Connection': 'close', **headers}.items())
    return f'HTTP/1.1 {status}\r\n{head}\r\n'.encode() + body


HTML = b'<html><title>Log in</title></html>'
FAULTS = {
    'HTML': answer(body=HTML, Content_Type='text/html'),
    'HTML for JSON': answer(body=HTML),
    'null': answer(body=b'null'),
    'list': answer(body=b'[5]'),
    'empty object': answer(body=b'{}'),
    'wrong types': answer(body=b'{"id": 5, "images": 5, "members": [5], "tempurl": 5, "swift": 5}'),
    '50 MB': answer(body=b' ' * 50_000_000),
    'cut-off body': answer(body=b'{"id"', Content_Length=999),
    'cut-off header': b'HTTP/1.1 200 OK\r\nX-Trans-Id: tx\r\nX-Account-Meta-Temp-Url-Key: a',
    'gzip': answer(body=b'{"id": 5}', Content_Encoding='gzip'),
    '204': b'HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n',
    '300': answer('300 Multiple Choices', b'{"versions": []}'),
    '404': answer('404 Not Found', HTML, Content_Type='text/html'),
    '404, a list': answer('404 Not Found', b'[5]'),
    '429': answer('429 Too Many Requests', b'null'),
    '500': answer('500 Internal Server Error', b'{"x": 5}'),
    '500, unnamed': b'HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\r\n\xff',
}
BROKEN = {
    '50 MB': 'sent an invalid answer: it has more than 32 MiB.',
    'cut-off body': 'sent an invalid answer: it is cut off.',
    'cut-off header': 'sent an invalid answer: it is cut off.',
    'gzip': 'sent an invalid answer: it is compressed, although the request forbids that.'}
STATUSES = {name: f'answers HTTP {name[:3]}' for name in FAULTS if name[:3] in (
    '300', '404', '429', '500')}


@pytest.fixture(scope='module')
def glance(cloud):
    with proxy(cloud.sdk().session.get_endpoint(service_type='image').rstrip('/')) as made:
        yield made


@pytest.fixture(scope='module')
def swift(cloud):
    """A proxy before Swift, which adds the account of the catalog."""
    endpoint, _, made_account = cloud.sdk().object_store.get_endpoint().partition('/v1/')
    with proxy(endpoint) as made:
        made.account = made_account
        yield made


def said(server, fault, ask):
    """Return the line that is said when a server has a fault; None for none."""
    server.plan, server.requests[:] = [FAULTS[fault]], []
    try:
        ask()
    except ImageNotFound:
        return None
    except ImgurlError as error:
        line = str(error)
        assert server.plan == [] and len(server.requests) == 1
        assert line.isprintable() and server.url in line, line
        assert not PYTHONS_WORDS.search(line), line
        return line
    return None


# Glance

GLANCE = {
    'an image': (lambda images, image: images.find(image), 'an image'),
    'a name': (lambda images, image: images.find('cirros'), 'a list of images'),
    'a list': (lambda images, image: list(images.detail()), 'a list of images'),
    'some images': (lambda images, image: list(images.detail(id=f'in:{image}')),
                    'a list of images'),
    'locations': (lambda images, image: images.locations(image), 'the locations of an image'),
    'members': (lambda images, image: images.accepted_members(image), 'the members of an image'),
}
NOT_JSON = 'answers HTTP 200 with something that is not JSON.'


@pytest.mark.parametrize('fault', FAULTS)
@pytest.mark.parametrize('request_', GLANCE)
def test_glance(cloud, image, glance, request_, fault):
    ask, wanted = GLANCE[request_]
    images = ImageService(cloud.sdk().session, endpoint=glance.url)
    line = said(glance, fault, lambda: ask(images, image))
    if fault.startswith('404') and request_ in ('an image', 'locations', 'members'):
        # There may be no such image, and older Glances have no such call.
        assert line is None
        return
    expected = {**BROKEN, **STATUSES, 'HTML for JSON': NOT_JSON}.get(
        fault, f'answers something else than {wanted}.')
    assert line.startswith(f'Glance at {glance.url} {expected}')


CHANGES = {
    'schema': ('/schemas', lambda images, meta, image: images.create(meta)),
    'create': ('/v2/images', lambda images, meta, image: images.create(meta)),
    'data': ('/file', lambda images, meta, image: images.download(image, io.BytesIO())),
}


@pytest.mark.parametrize('change', CHANGES)
def test_what_scripts_ask_for(cloud, image, glance, change):
    only, ask = CHANGES[change]
    images = ImageService(cloud.sdk().session, endpoint=glance.url)
    glance.only = only
    for fault, answered in FAULTS.items():
        glance.plan = [answered]
        with pytest.raises(ImgurlError) as caught:
            ask(images, {'name': 'x', **IMAGE_META}, image)
        line = str(caught.value)
        # Of an image that is not there, or whose data is not whole, it is the image that is named.
        assert glance.url in line or image in line or "the name 'x'" in line, fault
        assert glance.plan == []
        assert not PYTHONS_WORDS.search(line), line
    glance.only = ''


# Swift

SWIFT = {
    'account': lambda store, _: store.account_keys(None),
    'container': lambda store, _: store.container_keys(None, 'glance'),
    'object': lambda store, image: store.find_object(None, 'glance', image),
    'list': lambda store, _: store.names(None),
    'keys': lambda store, _: store.set_keys(None, None, {ACCOUNT_SLOTS[0]: Key(b'x')}),
    'info': lambda store, _: store.capabilities(
        Endpoint(store.storage_url().partition('/v1/')[0])),
}
# What has no answer but headers.
HEADS = ('account', 'container', 'object')


@pytest.mark.parametrize('fault', FAULTS)
@pytest.mark.parametrize('request_', SWIFT)
def test_swift(cloud, image, swift, request_, fault):
    store = ObjectStore(cloud.sdk().session, storage_url=f'{swift.url}/v1/{swift.account}')
    line = said(swift, fault, lambda: SWIFT[request_](store, image))
    if request_ == 'info' and fault.startswith('404'):
        # A cluster that hides it.
        assert line is None
        return
    at = f'What answers at {swift.url}/'
    if fault in BROKEN and (request_ not in HEADS or fault == 'cut-off header'):
        wanted = f'The object store at {swift.url} {BROKEN[fault]}'
    elif fault in STATUSES and not fault.startswith('404'):
        wanted = f'The object store at {swift.url} {STATUSES[fault]} to '
    else:
        wanted = at
    assert line.startswith(wanted), line
    assert wanted != at or 'is not an object store' in line


@pytest.mark.parametrize('fault', FAULTS)
@pytest.mark.parametrize('method', ['HEAD', 'GET'])
def test_a_request_through_a_url(swift, fault, method):
    swift.plan = [FAULTS[fault]]
    found = Probe().ask(f'{swift.url}/v1/x/y/z?temp_url_sig=5ec4e7', method)
    assert not found.has_object(None)
    assert not PYTHONS_WORDS.search(found.failure) and '5ec4e7' not in found.failure
    assert (found.status is None) == bool(found.failure) == (fault == 'cut-off header')


# The command

@pytest.fixture
def servers(cloud, glance, swift):
    """Both proxies by name, and what makes commands go through them."""
    for each in (glance, swift):
        each.only, each.plan, each.requests[:], each.moments[:] = '', [], [], []
    env = cloud.config(image_endpoint_override=glance.url,
                       object_store_endpoint_override=f'{swift.url}/v1/{swift.account}')
    yield {'glance': glance, 'swift': swift}, env
    glance.only = swift.only = ''


@pytest.mark.parametrize(('server', 'only', 'fault'), [
    ('glance', '', 'null'), ('glance', '', '50 MB'), ('swift', '/v1/', 'HTML'),
    ('swift', '/v1/', 'cut-off header'), ('swift', '/info', 'gzip')])
def test_the_command_says_so(cloud, image, servers, server, only, fault):
    proxies, env = servers
    proxies[server].only, proxies[server].plan = only, [FAULTS[fault]] * 9
    line = cloud.refused(image, env=env)
    assert proxies[server].url in line
    assert not PYTHONS_WORDS.search(line), line


@pytest.mark.parametrize('fault', [
    '412', '500', 'HTML', 'HTML for JSON', 'null', 'cut-off header', 'gzip'])
def test_a_cluster_that_says_nothing_of_itself(cloud, image, data, servers, fault):
    """A URL is made without /info if its digest is given, or if it is not to be checked."""
    proxies, env = servers
    swift = proxies['swift']
    swift.only, swift.plan = '/info', [FAULTS.get(fault, answer('412 Precondition Failed'))] * 9
    line = cloud.refused(image, env=env)
    assert swift.url in line
    assert line.endswith('(--digest).')
    for check in '--check', '--no-check':
        row = cloud.create(image, check, '--digest', 'sha512', env=env)
        assert row['digest'] == 'sha512' and download(row['url']) == data
    swift.plan = [FAULTS.get(fault, answer('412 Precondition Failed'))] * 9
    row = cloud.create(image, '--no-check', env=env)
    assert row['digest'] == 'sha1' and download(row['url']) == data


@pytest.mark.parametrize(('server', 'only'), [
    ('glance', ''), ('swift', '/v1/'), ('swift', '/info')])
def test_a_byte_now_and_then(cloud, image, servers, server, only):
    proxies, env = servers
    proxies[server].only, proxies[server].plan = only, ['drip'] * 9
    line = cloud.refused(image, env={**env, 'OSC_IMGURL_TIMEOUT': '1s',
                                     'OSC_IMGURL_NUM_RETRIES': '0'})
    assert f'{proxies[server].url} cannot be reached: there is no answer in time' in line


def test_a_byte_now_and_then_through_a_url(cloud, image, servers):
    proxies, env = servers
    proxies['swift'].only, proxies['swift'].plan = f'/glance/{image}', ['drip'] * 9
    result = cloud.openstack('image', 'temp', 'url', 'create', image, env={
        **env, 'OSC_IMGURL_TIMEOUT': '1', 'OSC_IMGURL_NUM_RETRIES': '0'})
    assert result.code == 0 and image in result.stdout
    assert 'Could not verify the URL: ' in result.stderr
    assert 'there is no answer in time' in result.stderr


def test_how_long_is_waited_and_why(cloud, image, servers):
    """The HEAD through a URL does not wait as long as it is told."""
    proxies, env = servers
    proxies['glance'].plan = [(503, {'Retry-After': '1'}), (429, {'Retry-After': '3600'})]
    swift = proxies['swift']
    swift.only, swift.plan = f'/glance/{image}', [(503, {'Retry-After': '9'})]
    result = cloud.openstack('--debug', 'image', 'temp', 'url', 'create', image, env=env)
    assert result.code == 0
    first, second = (moment for each, moment in zip(swift.requests, swift.moments, strict=True)
                     if image in each)
    assert second - first < 9
    for seconds, reason in ((1, 'HTTP 503, Retry-After: 1'), (1, 'HTTP 429, Retry-After: 3600'),
                            (0, 'HTTP 503, Retry-After: 9')):
        assert (f'Next attempt in {seconds}.0 s: {reason}'
                in result.stderr)
