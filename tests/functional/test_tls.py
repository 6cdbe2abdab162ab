"""Clouds over TLS: all of them with their authority, and servers whose certificate is wrong."""

import contextlib
import json

import pytest
import requests

from ..certificates import OTHER_HOST, Certificate, authority
from .conftest import download
from .links import extend, revoke
from .proxy import proxy
from .test_radosgw import needs_ceph

pytestmark = [pytest.mark.extra, pytest.mark.needs('openssl')]
TEMP_URL = ['image', 'temp', 'url']
KEY = 'a key for TLS'


@pytest.fixture(scope='module')
def cloud(make_cloud):
    cloud = make_cloud('--tls')
    cloud.set_key(KEY)
    return cloud


@pytest.fixture(scope='module')
def ca(cloud):
    """The file with the cloud's authority."""
    return str(cloud.folder / 'tls/ca.pem')


def checks(cloud, subject, *options, **kwargs):
    """Return the rows of a check by name; a URL is read from standard input."""
    is_url = subject.startswith('https://')
    result = cloud.openstack(*TEMP_URL, 'check', '-' if is_url else subject, *options, '-f', 'json',
                             stdin=subject if is_url else '', **kwargs)
    rows = {row['check']: row for row in json.loads(result.stdout)}
    assert result.code == any(row['result'] == 'fail' for row in rows.values())
    return rows


def the_whole_way(cloud, data, key_file):
    """Upload, create, download, check, make a link and revoke it, set a key, list, copy."""
    trusted = str(cloud.folder / 'tls/ca.pem')
    cloud.upload('whole', data)
    url = cloud.create('whole')['url']
    assert url.startswith('https://127.0.0.1:')
    assert download(url, verify=trusted) == data
    assert download(url.replace('127.0.0.1', 'localhost'), verify=trusted) == data
    with pytest.raises(requests.exceptions.SSLError):
        requests.head(url, timeout=30)
    for subject in ('whole', url):
        assert checks(cloud, subject)['request']['result'] == 'pass'
    row = cloud.create('whole', '--revocable')
    extend(cloud, row['link'], '--duration', '7d')
    assert download(row['url'], verify=trusted) == data
    revoke(cloud, '-', stdin=row['url'])
    assert requests.head(row['url'], verify=trusted, timeout=30).status_code == 404
    cloud.secrets.append('another key')
    cloud.rows(*TEMP_URL, 'key', 'set', '--slot', '2', '--key-file',
               key_file('another key'))
    row, = cloud.rows(*TEMP_URL, 'list', 'whole')
    assert row['url'] != url and download(row['url'], verify=trusted) == data
    row = cloud.create(cloud.upload('in files', data, store='file1'), '--copy')
    assert row['copied'] and download(row['url'], verify=trusted) == data


def test_the_whole_way(cloud, data, key_file):
    the_whole_way(cloud, data, key_file)


@needs_ceph
def test_the_whole_way_on_a_gateway(make_cloud, data, key_file):
    gateway = make_cloud('--tls', '--radosgw')
    gateway.set_key(KEY)
    the_whole_way(gateway, data, key_file)


def test_no_authority_is_named(cloud, image, ca):
    nameless = cloud.config(cacert=None)
    assert cloud.openstack(*TEMP_URL, 'create', image, env=nameless).code == 1
    env = {**nameless, 'REQUESTS_CA_BUNDLE': ca}
    url = cloud.create(image, env=env)['url']
    assert checks(cloud, url, env=env)['request']['result'] == 'pass'


def test_insecure(cloud, image):
    """All is asked, nothing is verified, and nothing is said about it."""
    result = cloud.openstack('--insecure', *TEMP_URL, 'create', image, '-f', 'value', '-c', 'url',
                             env=cloud.config(cacert=None))
    assert (result.code, result.stderr) == (0, '')
    rows = checks(cloud, result.stdout.strip(), '--insecure', env=cloud.config(cacert=None))
    assert rows['image']['result'] == rows['key']['result'] == rows['request']['result'] == 'pass'


# Wrong certificates

WRONG = {
    'authority': ('its certificate is signed by an authority that is not trusted here',
                  'name the file with its authority', 'unable to get local issuer certificate'),
    'time': ('its certificate, or its authority\'s, has expired',
             'have the server\'s operator renew the certificate', 'certificate has expired'),
    'host': ('its certificate is another host\'s', 'Use the host name in the certificate',
             'certificate is not valid for \'127.0.0.1\'')}


@pytest.fixture(scope='module')
def impostors(cloud, ca, tmp_path_factory):
    """The URLs of servers whose certificates are wrong in one point each."""
    folder = tmp_path_factory.mktemp('wrong')
    trusted = Certificate.read((cloud.folder / 'tls/ca.key').read_bytes()
                               + (cloud.folder / 'tls/ca.pem').read_bytes())
    with contextlib.ExitStack() as stack:
        urls = {}
        for name, certificate in (('authority', authority().sign()),
                                  ('time', trusted.sign(begins=-2, ends=-1)),
                                  ('host', trusted.sign(OTHER_HOST))):
            (folder / name).write_bytes(certificate.pem)
            urls[name] = stack.enter_context(proxy('http://nowhere', folder / name)).url
        yield urls


@pytest.fixture(params=WRONG)
def wrong(request, impostors):
    """Where an impostor is, what is said of it, what to do, and what OpenSSL calls it."""
    return impostors[request.param], *WRONG[request.param]


def test_wrong_certificate_of_keystone(cloud, image, wrong):
    """OpenStackClient asks it, and says so, before a command of ours runs."""
    url, _, _, said = wrong
    env = cloud.config(auth={**cloud.sdk().config.get_auth_args(), 'auth_url': f'{url}/v3'})
    for command in ('create', 'check'):
        result = cloud.openstack(*TEMP_URL, command, image, env=env)
        assert (result.code, result.stdout) == (1, '')
        assert url in result.stderr and said in result.stderr


def test_wrong_certificate_of_glance(cloud, image, wrong):
    url, reason, remedy, _ = wrong
    env = cloud.config(image_endpoint_override=url)
    line = cloud.refused(image, env=env)
    assert line.startswith(f'Glance at {url} cannot be reached: {reason}. ') and remedy in line
    row = checks(cloud, image, env=env)['image']
    assert row['detail'] == f'Glance at {url} cannot be reached: {reason}'
    assert (row['result'], remedy in row['remedy']) == ('fail', True)


def test_wrong_certificate_of_swift(cloud, image, wrong):
    url, reason, remedy, _ = wrong
    path = cloud.sdk().object_store.get_endpoint().partition('/v1/')[2]
    env = cloud.config(object_store_endpoint_override=f'{url}/v1/{path}')
    line = cloud.refused(image, env=env)
    assert line.startswith(f'The object store at {url} cannot be reached: {reason}. ')
    assert remedy in line
    row = checks(cloud, image, env=env)['key']
    assert row['detail'] == f'The object store at {url} cannot be reached: {reason}'
    assert (row['result'], remedy in row['remedy']) == ('fail', True)


def test_wrong_certificate_of_who_answers_a_url(cloud, image, wrong, key_file):
    url, reason, remedy, _ = wrong
    account = cloud.sdk().object_store.get_endpoint().rpartition('/')[2]
    env = cloud.config(object_store_endpoint_override=f'{url}/v1/{account}')
    result = cloud.openstack(
        *TEMP_URL, 'create', image, '--account', account, '--key-file', key_file(KEY), '--digest',
        'sha256', '--check', '-f', 'value', '-c', 'url', env=env)
    assert (result.code, image in result.stdout) == (0, True)
    # It is asked for its digests first.
    of_info, of_url = result.stderr.splitlines()
    assert f'The object store at {url} cannot be reached: {reason}. ' in of_info
    assert f'{url} cannot be reached from here: {reason}. ' in of_url and remedy in of_url
    row = checks(cloud, result.stdout.strip(), '--endpoint-url', url)['server']
    assert row['detail'] == f'{url} cannot be reached from here: {reason}'
    assert (row['result'], remedy in row['remedy']) == ('fail', True)
