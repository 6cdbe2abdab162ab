"""What holds for every request of ours: TLS, proxies, passwords, redirections, odd answers."""

import contextlib
import io
import json
import re
import urllib.parse

import pytest
from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session

from osc_imgurl import errors
from osc_imgurl.glance.image_service import ImageService
from osc_imgurl.swift.object_store import ObjectStore
from osc_imgurl.swift.probe import Probe

from ..certificates import with_authority
from .conftest import IMAGE_META
from .proxy import proxy

CREATE = ['image', 'temp', 'url', 'create', '-f', 'value', '-c', 'url']
NOT_TRUSTED = 'signed by an authority that is not trusted here'


@pytest.fixture(scope='module')
def servers_of(cloud):
    """Return a function that says where Glance or Swift is, and what the catalog adds to it."""
    sdk = cloud.sdk()
    swift = sdk.object_store.get_endpoint().partition('/v1/')
    return {'glance': (sdk.session.get_endpoint(service_type='image').rstrip('/'), ''),
            'swift': (swift[0], f'/v1/{swift[2]}')}


@pytest.fixture
def behind(cloud, servers_of):
    """Return a function that puts proxies before servers; commands then go through them."""
    settings = {'glance': 'image_endpoint_override', 'swift': 'object_store_endpoint_override'}
    with contextlib.ExitStack() as stack:
        def serve(*names, **certificates):
            made = {name: stack.enter_context(proxy(servers_of[name][0], **certificates))
                    for name in names}
            return [*made.values(), cloud.config(api_timeout=5, **{
                settings[name]: each.url + servers_of[name][1] for name, each in made.items()})]
        yield serve


@pytest.fixture(scope='module')
def certificates(tmp_path_factory):
    """Files with a server's, a client's and another's certificate, each with its authority."""
    files = {name: tmp_path_factory.mktemp('certificates') / name
             for name in ('server', 'client', 'other')}
    for file in files.values():
        file.write_bytes(with_authority())
    return {name: str(file) for name, file in files.items()}


@pytest.fixture(params=['glance', 'keys', 'info', 'url'])
def ask(request, cloud, image, servers_of, behind, certificates, key_file):
    """Return a function that has a command make a request of one kind, and no other with TLS.

    It returns what the command printed, and whether the request came.
    """
    server, path, options = {
        'glance': ('glance', '', []), 'keys': ('swift', '/v1/', []),
        'info': ('swift', '/info', ['account', 'key', 'unchecked']),
        'url': ('swift', f'/glance/{image}', ['account', 'key', 'digest'])}[request.param]
    told = {'account': ['--account', servers_of['swift'][1].rpartition('/')[2]],
            'key': ['--key-file', key_file('a key')], 'unchecked': ['--no-check'],
            'digest': ['--digest', 'sha256', '--check']}
    options = [option for name in options for option in told[name]]

    def ask(*before, env=None, client_certificate=None):
        made, config = behind(server, certificate=certificates['server'],
                              client_certificate=client_certificate)
        result = cloud.openstack(*before, *CREATE, image, *options, env={
            'OSC_IMGURL_NUM_RETRIES': '0', **config, **(env or {})})
        return result, any(path in each for each in made.requests)
    return ask


def assert_asked(answer):
    result, came = answer
    assert came, result.text
    assert (result.code, result.stderr) == (0, '')


def assert_not_asked(answer, reason=NOT_TRUSTED):
    """No request came; where all was told the URL is printed, with a warning."""
    result, came = answer
    assert not came
    assert all(reason in line for line in result.stderr.splitlines()), result.stderr
    warned = re.search('Could not verify the URL|the URL is signed with sha1', result.stderr)
    assert (result.code == 0) == bool(warned)
    assert (result.code == 0) == ('temp_url_sig' in result.stdout)


def test_options_win_over_the_environments_authorities(ask, certificates):
    server, other = certificates['server'], certificates['other']

    def bundles(file):
        return {'REQUESTS_CA_BUNDLE': file, 'CURL_CA_BUNDLE': file}

    assert_asked(ask('--os-cacert', server, env=bundles(other)))
    assert_asked(ask('--insecure', env=bundles(other)))
    assert_not_asked(ask('--os-cacert', other, env=bundles(server)))


def test_the_environments_authorities_count_where_no_option_is_given(ask, certificates):
    """As for all that OpenStackClient asks itself."""
    assert_asked(ask(env={'REQUESTS_CA_BUNDLE': certificates['server']}))
    assert_not_asked(ask())


def test_a_server_that_wants_a_clients_certificate(ask, certificates):
    server, client = certificates['server'], certificates['client']
    assert_asked(ask('--os-cacert', server, '--os-cert', client, '--os-key', client,
                     client_certificate=client))
    assert_not_asked(ask('--os-cacert', server, client_certificate=client), 'reach')


def test_no_password_of_a_netrc(cloud, image, behind):
    glance, swift, env = behind('glance', 'swift')
    netrc = cloud.home / '.netrc'
    netrc.write_text('machine 127.0.0.1 login somebody password secret\n')
    netrc.chmod(0o600)
    try:
        cloud.create(image, env=env)
        cloud.create(image, '--no-check', env=env)
    finally:
        netrc.unlink()
    assert glance.requests and {each.split()[0] for each in swift.requests} == {'HEAD', 'GET'}
    for names in (*glance.headers, *swift.headers):
        assert not names & {'authorization', 'cookie'}


@pytest.mark.parametrize('ask', [
    lambda session: ImageService(session).find('none of this name'),
    lambda session: ObjectStore(session).account_keys('AUTH_x')], ids=['glance', 'swift'])
def test_no_password_of_a_netrc_for_keystone(cloud, tmp_path, monkeypatch, ask):
    """OpenStackClient authenticates before a command of ours begins, and sends it."""
    auth = cloud.sdk().config.config['auth']
    where = urllib.parse.urlsplit(auth['auth_url'])
    netrc = tmp_path / 'netrc'
    netrc.write_text('machine 127.0.0.1 login somebody password secret\n')
    netrc.chmod(0o600)
    with proxy(f'{where.scheme}://{where.netloc}') as keystone:
        auth = Password(**{**auth, 'auth_url': keystone.url + where.path})
        session = Session(auth)
        monkeypatch.setenv('NETRC', str(netrc))
        with pytest.raises(errors.ImgurlError):
            ask(session)
        assert keystone.requests and not [
            names for names in keystone.headers if 'authorization' in names]
        auth.invalidate()
        session.get_token()
        assert 'authorization' in keystone.headers[-1]


def test_proxies_of_the_environment(cloud, image):
    with proxy('') as forward:
        cloud.create(image, env={'http_proxy': forward.url})
        cloud.create(image, '--no-check', env={'http_proxy': forward.url})
        cloud.create(image, env={'http_proxy': forward.url, 'no_proxy': '127.0.0.1'})
        requests = forward.requests
    assert len([each for each in requests if f'/v2/images/{image}' in each]) == 2
    assert len([each for each in requests if each.endswith('/info')]) == 2
    heads = [each for each in requests if each.startswith('HEAD') and '/v1/' in each]
    assert len([each for each in heads if each.endswith(f'/glance/{image}')]) == 1
    assert len(heads) > 1


# Redirections

@pytest.fixture
def elsewhere():
    """A server to which others redirect, and which nobody is to ask."""
    with proxy('http://nowhere') as made:
        yield made
        assert made.requests == []


@pytest.mark.parametrize('command', [
    ['create', 'cirros'], ['list'], ['list', 'cirros'], ['check', 'cirros', '-f', 'json']])
def test_glance_redirects(cloud, behind, elsewhere, command):
    glance, env = behind('glance')
    glance.plan = [(302, {'Location': f'{elsewhere.url}/v2/images?token=x'})]
    result = cloud.openstack('image', 'temp', 'url', *command, env=env)
    assert result.code == 1
    assert (f'Glance at {glance.url} failed: it redirects to {elsewhere.url}/v2/images (HTTP 302)'
            in result.text)
    assert len(glance.requests) == 1


@pytest.mark.parametrize(('headers', 'wanted'), [
    ({}, 'it redirects to nowhere (HTTP 302)'),
    ({'Location': 'http://['}, 'its address or its answer is invalid')])
def test_a_redirection_to_nowhere(cloud, image, behind, headers, wanted):
    glance, env = behind('glance')
    glance.plan = [(302, headers)]
    assert f'Glance at {glance.url} failed: {wanted}.' in cloud.refused(image, env=env)


def test_glance_redirects_scripts(cloud, image, behind, elsewhere):
    """Whatever the image service asks for."""
    glance, _ = behind('glance')
    images = ImageService(cloud.sdk().session, endpoint=glance.url, num_retries=2)
    meta = {'name': 'x', **IMAGE_META}
    for status in (301, 302, 303, 305, 307, 308):
        glance.plan = [(status, {'Location': elsewhere.url})]
        with pytest.raises(errors.GlanceFailed, match=rf'it redirects to .* \(HTTP {status}\)'):
            images.find(image)
    for only, call in (
            ('/locations', lambda: images.locations(image)),
            ('/file', lambda: images.download(image, io.BytesIO())),
            ('/schemas/', lambda: images.create(meta)),
            ('/v2/images', lambda: images.create(meta)),
            ('/file', lambda: images.create(meta, io.BytesIO(b'x'))),
            ('/v2/images', lambda: images.update(image, {'color': 'blue'})),
            ('/v2/images', lambda: images.delete(image))):
        glance.only, glance.plan = only, [(307, {'Location': f'{elsewhere.url}/v2/images'})]
        with pytest.raises(errors.GlanceFailed, match='it redirects to'):
            call()
        assert glance.plan == []


@pytest.mark.parametrize(('target', 'wanted'), [
    ('', 'answers HTTP 307'), ('http://[', 'its answer is invalid')])
def test_swift_redirects(cloud, image, behind, elsewhere, target, wanted):
    swift, env = behind('swift')
    redirection = (307, {'Location': target or elsewhere.url})
    for only in '/glance', '/info':
        swift.only, swift.plan = only, [redirection]
        assert wanted in cloud.refused(image, env=env)
    swift.only, swift.plan = f'/glance/{image}', [redirection]
    result = cloud.openstack(*CREATE, image, env=env)
    assert result.code == 0 and 'Could not verify the URL' in result.stderr
    assert swift.plan == []


# Answers of the wrong shape

ODD_LENGTHS = ['9' * 4400, '-5', '²', '5, 6', '5x', ' ', None]
ODD_DATES = [
    f'Mon, 01 Jan {"9" * 25} 00:00:00 GMT', f'Mon, 01 Jan {"9" * 4400} 00:00:00 GMT',
    f'Mon, 01 Jan 2030 00:00:00 +{"9" * 20}', 'Mon, 01 Jan 99999 00:00:00 GMT',
    'Mon, 99 Foo 2030', 'tomorrow', '']


@pytest.mark.parametrize('length', ODD_LENGTHS)
def test_a_content_length_that_is_none(cloud, image, data, behind, servers_of, length):
    swift, _ = behind('swift')
    store = ObjectStore(cloud.sdk().session, storage_url=swift.url + servers_of['swift'][1])
    account = servers_of['swift'][1].rpartition('/')[2]
    swift.plan = [(200, {'X-Trans-Id': 'tx', 'Content-Length': length})] * 2
    with pytest.raises(errors.ObjectStoreFailed):
        store.find_object(account, 'glance', image)
    assert Probe().ask(f'{swift.url}/x').size is None
    assert store.find_object(account, 'glance', image)[0] == len(data)


@pytest.mark.parametrize('date', ODD_DATES)
def test_a_date_that_is_none(behind, date):
    swift, _ = behind('swift')
    swift.plan = [(401, {'X-Trans-Id': 'tx', 'Date': date})]
    answer = Probe().ask(f'{swift.url}/x')
    assert (answer.status, answer.transaction, answer.date) == (401, 'tx', None)


def test_odd_answers_cost_a_warning(cloud, image, behind):
    swift, env = behind('swift')
    swift.only = f'/glance/{image}'
    odd = (200, {'X-Trans-Id': 'tx', 'Content-Length': ODD_LENGTHS[0], 'Date': ODD_DATES[0]})
    swift.plan = [odd]
    result = cloud.openstack(*CREATE, image, env=env)
    assert result.code == 0 and image in result.stdout
    assert result.stderr.startswith('Could not verify the URL of image')
    assert len(result.stderr.splitlines()) == 1
    swift.plan = [odd]
    result = cloud.openstack('image', 'temp', 'url', 'check', '-', '-f', 'json', env=env,
                             stdin=result.stdout)
    rows = {row['check']: row['result'] for row in json.loads(result.stdout)}
    assert (result.code, rows['clock'], rows['size']) == (0, 'skipped', 'skipped')
