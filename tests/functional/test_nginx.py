"""The manual's nginx: one copy of an object for all its URLs, and each of them verified."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
import urllib.parse

import pytest
import requests

from osc_imgurl.tempurl.options import URLOptions
from osc_imgurl.tempurl.signing import Key, Parameters, sign, sign_path
from osc_imgurl.tempurl.url import ObjectPath

from .links import revoke
from .test_recipes import BLOCK, PAGES

NGINX = shutil.which('nginx', path=f'{os.environ["PATH"]}:/usr/sbin')
pytestmark = [pytest.mark.extra, pytest.mark.needs('nginx')]
KEY = 'a key'
# What is not in the manual: where it writes, in a folder of its own.
AROUND = """\
pid pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path body;
    fastcgi_temp_path fastcgi;
    proxy_temp_path proxy;
    scgi_temp_path scgi;
    uwsgi_temp_path uwsgi;
{}
}}
"""


@pytest.fixture(scope='module')
def storage_url(cloud):
    return cloud.sdk().object_store.get_endpoint()


@pytest.fixture(scope='module')
def nginx(storage_url, tmp_path_factory):
    """Scheme, host and port of the manual's proxy."""
    config, = (block for _, language, block in BLOCK.findall(PAGES['caching'].read_text())
               if language == 'nginx')
    folder = tmp_path_factory.mktemp('nginx')
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        address = '{}:{}'.format(*free.getsockname())
    for theirs, here in (('listen 8080', f'listen {address}'),
                         ('swift.example.com:8080', storage_url.split('/')[2]),
                         ('/var/cache/nginx', str(folder))):
        assert theirs in config
        config = config.replace(theirs, here)
    (folder / 'nginx.conf').write_text(AROUND.format(config))
    # Where root runs it, its workers would be somebody else, who cannot write to the folder.
    process = subprocess.Popen([NGINX, '-p', folder, '-c', 'nginx.conf', '-g',
                                'daemon off; user root root;'])
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(requests.ConnectionError):
                requests.get(f'http://{address}/', timeout=30)
                break
            time.sleep(.05)
        yield f'http://{address}'
    finally:
        process.terminate()
        process.wait(30)


def signed_url(nginx, account, name, *, container='glance', expires=600, **options):
    return sign(Parameters(nginx, ObjectPath(account, container, name), int(time.time()) + expires,
                           URLOptions(**options)), Key(KEY.encode())).url


def test_one_copy_for_all_urls(cloud, image, data, nginx):
    for duration, cached in (('1h', 'MISS'), ('2h', 'HIT'), ('3h', 'HIT')):
        url = cloud.create(image, '--endpoint-url', nginx, '--duration', duration,
                           '--filename', f'{duration}.img')['url']
        got = requests.get(url, timeout=30)
        assert (got.status_code, got.headers['X-Cache-Status']) == (200, cached)
        assert got.content == data
        assert 'Content-Disposition' not in got.headers
    part = requests.get(url, headers={'Range': 'bytes=1000-1999'}, timeout=30)
    assert (part.status_code, part.content) == (206, data[1000:2000])
    head = requests.head(url, timeout=30)
    assert (head.status_code, head.headers['Content-Length']) == (200, str(len(data)))


def test_each_url_is_verified(cloud, image, nginx, storage_url):
    account = storage_url.rpartition('/')[2]
    good = signed_url(nginx, account, image)
    assert requests.get(good, timeout=30).status_code == 200
    expires = good.rpartition('=')[2]
    for bad in (good.replace(expires, str(int(expires) + 1)),
                good.partition('?')[0],
                signed_url(nginx, account, image, expires=-10),
                *(signed_url(nginx, account, image, method=method)
                  for method in ('HEAD', 'PUT', 'POST', 'DELETE'))):
        assert requests.get(bad, timeout=30).status_code == 401, bad
    gone = signed_url(nginx, account, 'no such object')
    assert requests.get(gone, timeout=30).status_code == 500
    token = {'X-Auth-Token': cloud.sdk().auth_token}
    assert requests.get(good.partition('?')[0], headers=token, timeout=30).status_code == 401
    for method in ('PUT', 'DELETE'):
        assert requests.request(method, good, timeout=30).status_code == 401


def test_a_link_that_was_revoked(cloud, image, data, nginx):
    """What is in the cache is not served any more."""
    row = cloud.create(image, '--revocable', '--endpoint-url', nginx)
    assert requests.get(row['url'], timeout=30).content == data
    assert requests.get(row['url'], timeout=30).headers['X-Cache-Status'] == 'HIT'
    revoke(cloud, row['link'])
    assert requests.get(row['url'], timeout=30).status_code == 500


def test_no_other_account_leads_to_an_object(cloud, image, data, nginx, storage_url):
    """In an account of one's own an object may be named so that its path reads as another's."""
    account = storage_url.rpartition('/')[2]
    assert requests.get(signed_url(nginx, account, image), timeout=30).content == data
    own = cloud.sdk('demo').object_store
    cloud.set_key(KEY, cloud='demo')
    assert own.put('/own').status_code in (201, 202)
    path = f'../../{account}/glance/{image}'
    assert own.put('/own/' + urllib.parse.quote(path, safe=''), data=b'own').status_code == 201
    expires = int(time.time()) + 600
    start = f'/v1/{own.get_endpoint().rpartition("/")[2]}/own/'
    signature = sign_path(Key(KEY.encode()), start + path, expires)
    got = requests.get(f'{nginx}{start}{urllib.parse.quote(path, safe="")}'
                       f'?temp_url_sig={signature}&temp_url_expires={expires}', timeout=30)
    assert (got.status_code, got.content) == (200, b'own')
