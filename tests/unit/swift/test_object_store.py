"""Swift's account, containers, keys and capabilities, of a Swift that is a stub.

The functional tests ask a real one. A stub answers whatever status there is, in clouds of any
catalog, and sees which request came.
"""

import logging
import re

import pytest
import requests
import requests_mock
from keystoneauth1.session import Session

from osc_imgurl import errors
from osc_imgurl.settings.table import Settings
from osc_imgurl.swift.answers import ACCOUNT_SLOTS, CONTAINER_SLOTS, Capabilities
from osc_imgurl.swift.endpoint import find_endpoint
from osc_imgurl.swift.object_store import ObjectStore
from osc_imgurl.tempurl.endpoint import Endpoint
from osc_imgurl.tempurl.signing import Key

OWN = 'http://swift/v1/AUTH_p'
# By one of these an answer is known.
SWIFT, COUNTED = {'X-Trans-Id': 'tx1'}, {'X-Account-Container-Count': '0'}
CONTAINER_2, CONTAINER_1 = CONTAINER_SLOTS
ACCOUNT_2, ACCOUNT_1 = ACCOUNT_SLOTS

MD5 = 'd41d8cd98f00b204e9800998ecf8427e'


@pytest.fixture
def swift(cloud):
    return ObjectStore(cloud.session())


# The storage URL, the project, the endpoints

@pytest.mark.parametrize(('arguments', 'url'), [
    ({}, OWN),
    ({'interface': 'internal'}, 'http://in-swift/v1/AUTH_p'),
    ({'region_name': 'two-region'}, 'http://two-swift/v1/AUTH_p'),
    ({'storage_url': 'HTTPS://rgw/swift/v1'}, 'https://rgw/swift/v1'),
])
def test_the_storage_url(cloud, arguments, url):
    store = ObjectStore(cloud.session(), **arguments)
    assert [store.find_storage_url(), store.storage_url()] == [url, url]


@pytest.mark.parametrize(('arguments', 'said'), [
    ({}, 'region any, interface public'),
    ({'region_name': 'one', 'interface': 'admin'}, 'region one, interface admin')])
def test_a_cloud_without_object_store(cloud, arguments, said):
    del cloud.catalog[1]
    store = ObjectStore(cloud.session(), **arguments)
    for _ in range(2):
        assert store.find_storage_url() is None
    with pytest.raises(errors.MissingParameterValue) as caught:
        store.storage_url()
    assert str(caught.value) == (
        f'There is no object-store in the catalog of this cloud ({said}). Only images in Swift'
        ' have temporary URLs. If this cloud has a Swift, give its endpoint, the account of the'
        ' images, and its key (endpoint_url, account, key_file).')
    assert store.endpoints() == frozenset()


@pytest.mark.parametrize(('interface', 'regions'), [('public', 'region, two-region'),
                                                    ('admin', 'region'), ('nobodys', None)])
def test_a_region_without_object_store(cloud, interface, regions):
    del cloud.catalog[1]['endpoints'][-1]
    store = ObjectStore(cloud.session(), 'three', interface)
    with pytest.raises(errors.MissingParameterValue) as caught:
        store.storage_url()
    start = ('There is no object-store in the catalog of this cloud (region three, interface'
             f' {interface})')
    assert str(caught.value).startswith(f'{start}. Only' if regions is None else (
        f'{start}, but in these regions: {regions}. In clouds.yaml, object_store_region_name'))


def test_a_token_without_a_catalog(cloud):
    del cloud.token['catalog']
    assert ObjectStore(cloud.session()).find_storage_url() is None


def test_a_catalog_with_an_invalid_url(cloud):
    for store in (ObjectStore(cloud.session(), storage_url='http://user:secret@swift'),
                  ObjectStore(cloud.session(), storage_url='ftp://swift'),
                  ObjectStore(cloud.session(), storage_url='https://swift/v1/AUTH_p/c')):
        with pytest.raises(errors.ObjectStoreFailed) as caught:
            store.find_storage_url()
        assert str(caught.value).startswith('The URL of this cloud\'s object store is invalid: exp')
        assert str(caught.value).endswith(
            '. Its operator can correct the catalog (openstack catalog show object-store).'
            ' In clouds.yaml, object_store_endpoint_override replaces it.')
        assert 'secret' not in str(caught.value)


def test_a_keystone_that_does_not_answer(cloud, swift):
    cloud.mock.post('http://keystone/v3/auth/tokens', status_code=401)
    status = r'\w+ \(HTTP 401\)'
    with pytest.raises(errors.ObjectStoreFailed, match=f'^The catalog cannot be read: {status}'):
        swift.find_storage_url()
    with pytest.raises(errors.ObjectStoreFailed, match=f'^Keystone gives no token: {status}'):
        ObjectStore(cloud.session(), storage_url=OWN).account_keys(None)


def test_the_project(cloud, swift):
    assert swift.project_id() == 'p'
    assert swift.project_names() == {'p', 'the project'}


def test_a_session_without_a_project(cloud):
    del cloud.token['project']
    swift = ObjectStore(cloud.session())
    with pytest.raises(errors.MissingParameterValue) as caught:
        swift.project_id()
    assert str(caught.value) == (
        'These credentials are not scoped to a project, and so have no account.'
        " Use a project's, or give the account (account).")
    assert swift.project_names() == frozenset()


def test_a_session_without_a_project_has_no_storage_url(cloud):
    del cloud.token['project'], cloud.token['catalog']
    with pytest.raises(errors.MissingParameterValue, match='are not scoped to a project'):
        ObjectStore(cloud.session()).storage_url()


def test_a_session_that_knows_no_names():
    """As with ``--os-auth-type none``, and with a token of the caller's."""
    class OfAToken(Session):
        def get_project_id(self):
            return 'p'

    assert ObjectStore(OfAToken()).project_names() == {'p'}


@pytest.mark.parametrize(('arguments', 'endpoints'), [
    ({}, {'http://swift', 'http://in-swift', 'http://admin-swift'}),
    ({'region_name': 'two-region'},
     {'http://two-swift', 'http://two-in-swift', 'http://two-admin-swift'}),
    ({'storage_url': 'https://here/v1/AUTH_p'},
     {'http://swift', 'http://in-swift', 'http://admin-swift', 'https://here'}),
])
def test_endpoints(cloud, arguments, endpoints):
    assert ObjectStore(cloud.session(), **arguments).endpoints() == endpoints


def test_endpoints_in_a_catalog_of_any_spelling(cloud):
    urls = 'HTTPS://swift/object-store/v1/AUTH_p/', 'http://[::1]:8080/v1/AUTH_p', 'no URL'
    for endpoint, url in zip(cloud.catalog[1]['endpoints'], urls, strict=False):
        endpoint['url'] = url
    assert ObjectStore(cloud.session(), region_name='region').endpoints() == {
        'https://swift/object-store', 'http://[::1]:8080'}


@pytest.mark.parametrize(('endpoint', 'known'), [
    ('http://swift', True), ('http://in-swift', True), ('http://two-swift', True),
    ('http://two-admin-swift:80', True), ('http://SWIFT', True), ('http://swift.', False),
    ('https://swift', False), ('http://swift:8080', False), ('http://swift/swift', False),
    ('http://swift.evil', False), ('http://evil/v1/AUTH_p', False)])
def test_endpoints_of_all_regions(cloud, endpoint, known):
    # Another invalid one does no harm.
    cloud.catalog[1]['endpoints'].append(
        {**cloud.catalog[1]['endpoints'][-1], 'region': 'three', 'url': 'no URL'})
    for arguments in ({}, {'region_name': 'two-region'}):
        assert ObjectStore(cloud.session(), **arguments).has_endpoint(endpoint) is known


@pytest.mark.parametrize(('catalog', 'account', 'url'), [
    ('HTTPS://host/object-store/v1/AUTH_p/', 'AUTH_p', 'https://host/object-store/v1/AUTH_p'),
    ('https://host/object-store/v1/AUTH_p', 'AUTH_y', 'https://host/object-store/v1/AUTH_y'),
    ('https://host/object-store/v1/KEY_p', 'KEY_p', 'https://host/object-store/v1/KEY_p'),
    ('https://host/rgw/v1', None, 'https://host/rgw/v1'),
    # As in Ironic, one without an API version.
    ('https://host:8080/', 'AUTH_y', 'https://host:8080/v1/AUTH_y'),
    ('https://host/swift', None, 'https://host/swift/v1'),
    ('https://host/radosgw/swift/v1/', None, 'https://host/radosgw/swift/v1'),
    ('http://[::1]:8080/v1/AUTH_p', 'AUTH_p', 'http://[::1]:8080/v1/AUTH_p')])
def test_keys_are_asked_for_where_the_catalog_says(cloud, catalog, account, url):
    swift = ObjectStore(cloud.session(), storage_url=catalog)
    cloud.mock.head(f'{url}/glance', status_code=204, headers=SWIFT)
    cloud.mock.get(f'{url.rpartition("/v1")[0]}/info', json={'tempurl': {}})
    assert swift.container_keys(account, 'glance') == {}
    endpoint = find_endpoint(Settings(account=account), swift)
    assert f'{endpoint}/v1' == (url if account is None else url.rpartition('/')[0])
    assert swift.capabilities(endpoint) == Capabilities(True)


@pytest.mark.parametrize(('region', 'endpoint', 'url'), [
    ('region', 'http://swift', OWN), ('region', 'http://in-swift', OWN),
    ('region', 'http://two-swift', 'http://two-swift/v1/AUTH_p'),
    # The endpoint says the region, and the interface stays the session's.
    ('region', 'http://two-in-swift', 'http://two-swift/v1/AUTH_p'),
    ('two-region', 'http://swift', OWN), (None, 'http://two-swift', 'http://two-swift/v1/AUTH_p'),
    # What the catalog does not name gets no token.
    ('region', 'http://elsewhere', OWN)])
def test_the_object_store_at_an_endpoint(cloud, region, endpoint, url):
    swift = ObjectStore(cloud.session(), region)
    found = swift.at(endpoint)
    assert found.storage_url() == url
    assert swift.at(endpoint) is found
    assert (found is swift) == (found.storage_url() == swift.storage_url())


# What the cluster says of itself

@pytest.mark.parametrize(('answer', 'wanted'), [
    ({'json': {'swift': {}, 'tempurl': {'methods': ['GET', 'PUT'], 'allowed_digests': ['sha1']}}},
     Capabilities(True, ('GET', 'PUT'), ('sha1',))),
    ({'json': {'tempurl': {}}}, Capabilities(True)),
    ({'json': {'tempurl': {'methods': [], 'allowed_digests': []}}}, Capabilities(True)),
    ({'json': {'tempurl': {'methods': ['GET']}}}, Capabilities(True, ('GET',))),
    ({'json': {'swift': {}}}, Capabilities(False)),
    ({'json': {'tempurl': None}}, Capabilities(False)),
    ({'status_code': 401}, Capabilities()),
    ({'status_code': 403}, Capabilities()),
    ({'status_code': 404}, Capabilities()),
])
def test_capabilities(cloud, swift, answer, wanted):
    cloud.mock.get('http://rgw/swift/info', **answer)
    assert swift.capabilities(Endpoint('http://rgw/swift')) == wanted
    assert 'X-Auth-Token' not in cloud.mock.last_request.headers
    assert cloud.asked == ['GET http://rgw/swift/info']
    assert not cloud.keystone.called


@pytest.mark.parametrize('answer', [
    {'text': '<html>'}, {'json': []}, {'json': {}}, {'json': 'x'}, {'json': None},
    {'json': {'tempurl': ['GET']}}, {'json': {'tempurl': {'methods': 5}}},
    {'json': {'tempurl': {'methods': 'GET'}}},
    {'json': {'tempurl': {'allowed_digests': {}}}}, {'text': '[' * 100_000}])
def test_what_is_no_object_store(cloud, swift, answer):
    cloud.mock.get('http://swift/info', **answer)
    with pytest.raises(errors.ObjectStoreFailed) as caught:
        swift.capabilities(Endpoint('http://swift'))
    assert str(caught.value) == (
        'What answers at http://swift/info is not an object store. Correct the endpoint of the'
        ' object store, or tell its operator.')


@pytest.mark.parametrize('status', [199, 300, 302, 400, 402, 405, 500, 503])
def test_a_cluster_that_fails(cloud, swift, status):
    cloud.mock.get('http://swift/info', status_code=status, headers={'X-Trans-Id': 'tx1'})
    with pytest.raises(errors.ObjectStoreFailed) as caught:
        swift.capabilities(Endpoint('http://swift'))
    assert str(caught.value) == (
        f'The object store at http://swift answers HTTP {status} to GET /info (transaction tx1).')


# Keys, sizes, names

def test_account_keys(cloud, swift):
    cloud.mock.head(OWN, status_code=204, headers={
        **SWIFT, 'X-Account-Meta-Temp-Url-Key': 'first', 'X-Account-Meta-Temp-Url-Key-2': 'ü\xff',
        'X-Container-Meta-Temp-Url-Key': 'third'})
    assert swift.account_keys('AUTH_p') == {
        ACCOUNT_1: Key(b'first'), ACCOUNT_2: Key(b'\xfc\xff')}
    assert cloud.mock.last_request.headers['X-Auth-Token'] == b'the token'


@pytest.mark.parametrize('container', [None, 'glance'])
def test_what_swift_says_of_an_account_or_a_container(cloud, swift, container):
    url = OWN if container is None else f'{OWN}/{container}'
    cloud.mock.head(url, status_code=204, headers={**SWIFT, 'X-Some-Meta': 'x'})
    assert swift.head('AUTH_p', container)['X-Some-Meta'] == 'x'
    cloud.mock.head(url, status_code=404, headers=SWIFT)
    assert swift.head('AUTH_p', container) is None


def test_container_keys(cloud, swift):
    cloud.mock.head(f'{OWN}/glance', status_code=204, headers={
        **SWIFT, 'X-Container-Meta-Temp-Url-Key': 'a%20b', 'X-Container-Meta-Temp-Url-Key-2': '',
        'X-Account-Meta-Temp-Url-Key': 'first'})
    assert swift.container_keys('AUTH_p', 'glance') == {CONTAINER_1: Key(b'a%20b')}
    cloud.mock.head(f'{OWN}/glance', headers={
        **SWIFT, 'X-Container-Meta-Temp-Url-Key': 'one', 'X-Container-Meta-Temp-Url-Key-2': 'two'})
    assert list(swift.container_keys('AUTH_p', 'glance').items()) == [
        (CONTAINER_2, Key(b'two')), (CONTAINER_1, Key(b'one'))]


@pytest.mark.parametrize(('account', 'container', 'url'), [
    (None, None, OWN),
    ('AUTH_p', 'glance', f'{OWN}/glance'),
    ('AUTH_other', None, 'http://swift/v1/AUTH_other'),
    ('AUTH_a b', 'c?d/e', 'http://swift/v1/AUTH_a%20b/c%3Fd/e'),
])
def test_which_url_is_asked(cloud, swift, account, container, url):
    cloud.mock.head(url, status_code=204, headers=SWIFT)
    found = (swift.container_keys(account, container) if container
             else swift.account_keys(account))
    assert found == {}
    assert cloud.asked == [f'HEAD {url}']


def test_a_gateway_without_accounts(cloud):
    swift = ObjectStore(cloud.session(), storage_url='http://rgw/swift/v1/')
    cloud.mock.head('http://rgw/swift/v1/glance', status_code=204, headers=SWIFT)
    assert swift.container_keys(None, 'glance') == {}
    assert cloud.asked == ['HEAD http://rgw/swift/v1/glance']


@pytest.mark.parametrize(('headers', 'found'), [
    ({'Content-Length': '7'}, (7, None, False)),
    ({'Content-Length': '0', 'ETag': MD5}, (0, MD5, False)),
    ({'Content-Length': '0', 'ETag': f'W/"{MD5.upper()}"'}, (0, MD5, False)),
    ({'Content-Length': '0', 'ETag': f'{MD5}-2'}, (0, None, False)),
    ({'Content-Length': '0', 'ETag': f'x{MD5}'}, (0, None, False)),
    # Of a large object it is the manifest's.
    ({'Content-Length': '0', 'ETag': MD5, 'X-Static-Large-Object': 'True'}, (0, None, False)),
    ({'Content-Length': '0', 'ETag': f'"{MD5}"', 'X-Object-Manifest': 'c/o-'}, (0, None, True))])
def test_find_object(cloud, swift, headers, found):
    cloud.mock.head(f'{OWN}/glance/3a1f', headers={**SWIFT, **headers})
    assert swift.find_object('AUTH_p', 'glance', '3a1f') == found


def test_an_object_without_a_size(cloud, swift):
    for headers, transaction in (SWIFT, 'tx1'), (COUNTED, 'unknown'):
        cloud.mock.head(f'{OWN}/glance/3a1f', headers=headers)
        with pytest.raises(errors.ObjectStoreFailed) as caught:
            swift.find_object('AUTH_p', 'glance', '3a1f')
        assert str(caught.value) == (
            'The object store does not say how large the object 3a1f is'
            f' (transaction {transaction}).')


def test_names(cloud, swift):
    cloud.mock.get(OWN, text='glance\nimages ü\n', headers=SWIFT)
    cloud.mock.get(f'{OWN}/glance', text='', headers=SWIFT)
    assert swift.names('AUTH_p') == ['glance', 'images ü']
    assert swift.names('AUTH_p', 'glance') == []


CALLS = {
    'account_keys': ('HEAD', '', lambda swift: swift.account_keys(None), None),
    'container_keys': ('HEAD', '/c', lambda swift: swift.container_keys(None, 'c'), None),
    'find_object': ('HEAD', '/c/o', lambda swift: swift.find_object(None, 'c', 'o'), None),
    'account_names': ('GET', '', lambda swift: swift.names(None), []),
    'names': ('GET', '/c', lambda swift: swift.names(None, 'c'), []),
}


@pytest.mark.parametrize('call', CALLS)
def test_what_is_not_there(cloud, swift, call):
    method, path, ask, nothing = CALLS[call]
    cloud.mock.request(method, OWN + path, status_code=404, headers=SWIFT)
    assert ask(swift) == nothing


@pytest.mark.parametrize('call', CALLS)
@pytest.mark.parametrize('status', [200, 204, 404])
def test_who_is_not_known_by_its_answer(cloud, swift, call, status):
    method, path, ask, _ = CALLS[call]
    cloud.mock.request(method, OWN + path, status_code=status, headers={'Content-Length': '7'})
    with pytest.raises(errors.ObjectStoreFailed) as caught:
        ask(swift)
    assert str(caught.value) == (
        f'What answers at {OWN}{path} is not an object store (HTTP {status}, without X-Trans-Id).'
        ' Correct the endpoint of the object store, or tell its operator.')


@pytest.mark.parametrize('call', CALLS)
@pytest.mark.parametrize('status', [401, 403])
def test_what_is_not_shown(cloud, swift, call, status):
    method, path, ask, _ = CALLS[call]
    cloud.mock.request(method, OWN + path, status_code=status)
    with pytest.raises(errors.ObjectStoreNotAuthorized) as caught:
        ask(swift)
    assert str(caught.value) == (
        f'Swift does not show /v1/AUTH_p{path} to these credentials (HTTP {status}).')


@pytest.mark.parametrize('call', CALLS)
@pytest.mark.parametrize('status', [199, 300, 307, 400, 402, 405, 410, 500, 503])
def test_other_answers_are_failures(cloud, swift, call, status):
    method, path, ask, _ = CALLS[call]
    cloud.mock.request(method, OWN + path, status_code=status)
    with pytest.raises(errors.ObjectStoreFailed) as caught:
        ask(swift)
    assert type(caught.value) is errors.ObjectStoreFailed
    assert str(caught.value) == (
        f'The object store at http://swift answers HTTP {status} to {method} /v1/AUTH_p{path}'
        ' (transaction unknown).')


# Set keys

def test_set_keys(cloud, swift):
    cloud.mock.post(f'{OWN}/glance', status_code=204, headers=SWIFT)
    swift.set_keys('AUTH_p', 'glance', {CONTAINER_1: Key('ü %41'.encode()), CONTAINER_2: None},
                   {'X-Container-Meta-Other': 'y'})
    headers = cloud.mock.last_request.headers
    sent = {name: value for name, value in headers.items() if 'key' in name}
    assert sent == {'x-container-meta-temp-url-key': 'ü %41'.encode(),
                    'x-remove-container-meta-temp-url-key-2': b'x'}
    assert headers['X-Auth-Token'] == b'the token'
    assert headers['X-Container-Meta-Other'] == b'y'
    cloud.mock.post(OWN, status_code=202, headers=SWIFT)
    swift.set_keys(None, None, {ACCOUNT_2: Key(b'x')})
    assert cloud.mock.last_request.headers['X-Account-Meta-Temp-Url-Key-2'] == b'x'


@pytest.mark.parametrize(('value', 'why'), [
    (b' x', 'it has a space at one end'), (b'x\n', 'it has a control char')])
def test_a_key_that_swift_would_not_keep(cloud, swift, value, why):
    with pytest.raises(errors.InvalidParameterValue) as caught:
        swift.set_keys('AUTH_p', 'glance', {CONTAINER_2: Key(b'good'), CONTAINER_1: Key(value)})
    assert str(caught.value).startswith(f'The key for slot container key cannot be set: {why}')
    assert cloud.asked == []


@pytest.mark.parametrize(('status', 'error', 'message'), [
    (401, errors.ObjectStoreNotAuthorized,
     'Swift does not let /v1/AUTH_p be changed with these credentials (HTTP 401).'),
    (403, errors.ObjectStoreNotAuthorized,
     'Swift does not let /v1/AUTH_p be changed with these credentials (HTTP 403).'),
    (404, errors.ObjectStoreFailed,
     'The object store at http://swift answers HTTP 404 to POST /v1/AUTH_p (transaction unknown).'),
    # Of these nobody knows whether something has been set.
    (503, errors.OutcomeUnknown,
     'The object store at http://swift answers HTTP 503 to POST /v1/AUTH_p (transaction unknown).'),
    (307, errors.OutcomeUnknown,
     'The object store at http://swift answers HTTP 307 to POST /v1/AUTH_p (transaction unknown).'),
])
def test_keys_that_are_not_set(cloud, swift, status, error, message):
    cloud.mock.post(OWN, status_code=status, headers=COUNTED)
    with pytest.raises(error) as caught:
        swift.set_keys(None, None, {ACCOUNT_1: Key(b'x')})
    assert (type(caught.value), str(caught.value)) == (error, message)


# Requests

@pytest.mark.parametrize(('failure', 'why'), [
    (requests.exceptions.ConnectTimeout, 'there is no answer in time'),
    (requests.exceptions.SSLError, 'its certificate is not accepted, or it does not speak TLS'),
    (requests.exceptions.ConnectionError(OSError(111, 'Connection refused')),
     'connection refused'),
    (ValueError, 'its address or its answer is invalid')])
def test_no_answer(cloud, swift, failure, why):
    cloud.mock.get('http://swift:8080/info', exc=failure)
    with pytest.raises(errors.ObjectStoreFailed) as caught:
        swift.capabilities(Endpoint('http://swift:8080'))
    assert str(caught.value) == f'The object store at http://swift:8080 cannot be reached: {why}.'


@pytest.mark.parametrize('options', [
    {'verify': '/ca.pem', 'cert': ('/c.pem', '/k.pem'), 'timeout': 7}, {'verify': False}, {}])
def test_the_sessions_options_hold(cloud, monkeypatch, options):
    for name in 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE':
        monkeypatch.delenv(name, raising=False)
    cloud.mock.get('http://swift/info', json={'swift': {}})
    ObjectStore(cloud.session(**options)).capabilities(Endpoint('http://swift'))
    sent = cloud.mock.last_request
    assert (sent.verify, sent.cert, sent.timeout) == (
        options.get('verify', True), options.get('cert'), options.get('timeout', 60))


@pytest.fixture
def real(cloud, server):
    """Return a function that makes an object store at the server of this machine."""
    cloud.mock.register_uri(requests_mock.ANY, re.compile(f'^{server.url}/'), real_http=True)
    return lambda **options: ObjectStore(
        cloud.session(), storage_url=f'{server.url}/v1/AUTH_p', **options)


def test_retries(real, server, naps):
    busy, good = (503, {}, b''), (204, SWIFT, b'')
    server.plan = [busy, good]
    assert real(num_retries=1).account_keys(None) == {}
    for options, answers in ({'num_retries': 1}, [busy, busy]), ({}, [busy]):
        server.plan = [*answers, good]
        with pytest.raises(errors.ObjectStoreFailed, match='HTTP 503'):
            real(**options).account_keys(None)
        assert server.plan == [good]


def test_a_connection_serves_many_requests(real, server):
    server.plan = [(200, SWIFT, b'x' * 100_000)] * 3
    swift = real()
    for _ in range(3):
        swift.names(None)
    assert len(server.connections) == 1


def test_no_redirection_is_followed(real, server):
    server.plan = [(307, {'Location': f'{server.url}/elsewhere'}, b'')]
    with pytest.raises(errors.ObjectStoreFailed, match='HTTP 307'):
        real().account_keys(None)
    assert len(server.requests) == 1


def test_no_key_and_no_token_is_logged(cloud, swift, caplog):
    caplog.set_level(logging.DEBUG)
    cloud.mock.head(OWN, headers={'X-Account-Meta-Temp-Url-Key': 'secret', **SWIFT})
    cloud.mock.post(OWN, status_code=204, headers=SWIFT)
    swift.account_keys(None)
    swift.set_keys(None, None, {ACCOUNT_1: Key(b'secret')})
    assert 'secret' not in caplog.text
    assert [record.getMessage() for record in caplog.records
            if record.name == 'osc_imgurl.swift.object_store'] == [
        f'Swift request: HEAD {OWN}', 'Swift response: 200, tx1',
        f'Swift request: POST {OWN}', 'Swift response: 204, tx1']
