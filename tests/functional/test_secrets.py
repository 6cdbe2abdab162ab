"""Whoever answers may quote what was sent; no message, log or traceback of ours passes it on."""

import contextlib
import logging
import re
import socketserver
import threading
import traceback
import urllib.parse

import pytest
import yaml
from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session

from osc_imgurl.cache.shared import SharedCache
from osc_imgurl.errors import CacheFailed, ImgurlError, ObjectStoreFailed
from osc_imgurl.glance.image_service import ImageService
from osc_imgurl.swift.answers import KeySlot
from osc_imgurl.swift.object_store import ObjectStore
from osc_imgurl.tempurl.signing import Key

from . import commands
from .proxy import Echo, proxy

CREATE = ['image', 'temp', 'url', 'create']
CHECK = ['image', 'temp', 'url', 'check']
KEY = 'Key/+"\' of <a> & b%'
PASSWORD = 'hunter2'
TOKEN = 'gAAAA'
KINDS = ['text/html', 'text/plain', 'application/json']


@pytest.fixture(scope='module')
def keyed(cloud):
    cloud.set_key(KEY)
    return cloud


@pytest.fixture
def glance(cloud):
    with proxy(cloud.sdk().image.get_endpoint().rpartition('/v2')[0]) as server:
        yield server, cloud.config(image_endpoint_override=server.url)


@pytest.fixture
def swift(cloud):
    endpoint, _, account = cloud.sdk().object_store.get_endpoint().partition('/v1/')
    with proxy(endpoint) as server:
        yield server, cloud.config(object_store_endpoint_override=f'{server.url}/v1/{account}')


@pytest.fixture
def session(cloud):
    """A session, and a proxy in front of its Keystone."""
    auth = yaml.safe_load((cloud.folder / 'clouds.yaml').read_text())['clouds']['demo']['auth']
    parts = urllib.parse.urlsplit(auth['auth_url'])
    with proxy(f'{parts.scheme}://{parts.netloc}') as server:
        yield server, Session(Password(**{
            **auth, 'auth_url': server.url + parts.path, 'password': PASSWORD}))


def shown_by(error, caplog):
    """Return all that shows an error: its message, its traceback, and the log."""
    return ' '.join([str(error), *traceback.format_exception(error), caplog.text])


@pytest.mark.parametrize('status', [300, 302, 400, 401, 403, 409, 500])
@pytest.mark.parametrize('kind', KINDS)
def test_glance_quotes_the_token(keyed, image, glance, status, kind):
    server, env = glance
    for before in ([], ['--debug']):
        # After a 401 there is another token.
        server.plan = [Echo(status, kind, 'Token')] * (2 if status == 401 else 1)
        result = keyed.openstack(*before, *CREATE, image, env=env)
        assert result.code == 1 and 'HTTP' in result.stderr
        assert TOKEN not in urllib.parse.unquote(result.text)
    if status in (400, 401, 403, 409):
        assert 'X-Auth-Token: ***' in result.stderr


@pytest.mark.parametrize('status', [400, 401, 403, 409, 500, 507])
def test_swift_quotes_key_and_token(keyed, swift, key_file, status):
    server, env = swift
    new = 'another Key/+"\' of <a> & b%'
    for about in ('Token', 'Key'):
        server.plan, server.only = [Echo(status, about=about)] * 3, '/v1/'
        result = keyed.openstack('--debug', 'image', 'temp', 'url', 'key', 'set', '--key-file',
                                 key_file(new), '--force', env=env)
        assert result.code == 1
        assert new not in result.text and TOKEN not in result.text
    if status == 400:
        assert ', ' in result.stderr and '***' in result.stderr


def test_who_answers_a_url_quotes_its_signature(keyed, image):
    with proxy('http://nowhere') as server:
        url = keyed.create(image, '--no-check', '--endpoint-url', server.url)['url']
        signature = re.search('temp_url_sig=([^&]*)', url)[1]
        for status in (200, 401, 404, 500):
            for before in ([], ['--debug']):
                server.plan = [Echo(status)] * 4
                result = keyed.openstack(*before, *CHECK, '-', '--endpoint-url', server.url,
                                         stdin=url)
                assert server.requests and signature not in result.text


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('ask', [
    lambda session: ImageService(session).find('cirros'),
    lambda session: ObjectStore(session, storage_url='http://127.0.0.1:1/v1/AUTH_x')
    .account_keys(None), lambda session: ObjectStore(session).storage_url()],
    ids=['glance', 'swift', 'catalog'])
def test_keystone_quotes_the_password(session, caplog, kind, ask):
    server, made = session
    caplog.set_level(logging.DEBUG, 'osc_imgurl')
    for status in (400, 401, 403, 500):
        server.plan, server.only = [Echo(status, kind)], '/auth/tokens'
        with pytest.raises(ImgurlError) as caught:
            ask(made)
        assert not server.plan
        assert PASSWORD not in shown_by(caught.value, caplog)


def test_the_token_and_the_key_in_what_the_library_raises(cloud, glance, swift, caplog):
    caplog.set_level(logging.DEBUG, 'osc_imgurl')
    session = cloud.sdk().session
    for status in (302, 400, 401, 403, 409, 500):
        glance[0].plan = [Echo(status, about='Token')] * (2 if status == 401 else 1)
        with pytest.raises(ImgurlError) as caught:
            ImageService(session, endpoint=glance[0].url).find('cirros')
        assert TOKEN not in urllib.parse.unquote(shown_by(caught.value, caplog))
    store = ObjectStore(session, storage_url=f'{swift[0].url}/v1/AUTH_x')
    for about in ('Token', 'Key'):
        swift[0].plan = [Echo(400, about=about)]
        with pytest.raises(ObjectStoreFailed) as caught:
            store.set_keys(None, None, {KeySlot('account', 1): Key(KEY.encode())})
        assert KEY not in shown_by(caught.value, caplog)
        assert TOKEN not in shown_by(caught.value, caplog)


@contextlib.contextmanager
def old_redis(cut):
    """Answer as a Redis before version 6 does, which quotes a command that it does not know.

    That takes the arguments of HELLO for its own error, cut off after 128 characters, as Redis
    does (server.c, ``unknownCommand``), or not.
    """
    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            while count := self.rfile.readline()[1:].strip():
                words = []
                for _ in range(int(count)):
                    size = int(self.rfile.readline()[1:])
                    words.append(self.rfile.read(size + 2)[:-2].decode())
                quoted = ''
                for word in words[1:]:
                    quoted += f"'{word[:128 - len(quoted) if cut else None]}' "
                self.wfile.write(f"-ERR unknown command '{words[0]}', with args beginning with:"
                                 f' {quoted}\r\n'.encode())

    with socketserver.ThreadingTCPServer(('127.0.0.1', 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize('password', [PASSWORD, 'a "quoted" p@ss/word', 'Pa5s' * 50])
@pytest.mark.parametrize('cut', [True, False])
def test_a_redis_without_hello_quotes_the_password(tmp_path, caplog, password, cut):
    pytest.importorskip('redis')
    (tmp_path / 'password').write_text(password)
    (tmp_path / 'password').chmod(0o600)
    (tmp_path / 'key').write_text(KEY)
    (tmp_path / 'key').chmod(0o600)
    with old_redis(cut) as port:
        done = commands.run(
            ['--os-auth-type', 'none', '--debug', *CREATE,
             '3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5', '--endpoint-url', 'http://127.0.0.1:1',
             '--account', 'AUTH_x', '--key-file', 'key', '--no-check'],
            cwd=tmp_path, env={
                **commands.ENVIRONMENT, 'HOME': str(tmp_path),
                'OSC_IMGURL_CACHE_ENABLED': 'true',
                'OSC_IMGURL_CACHE_BACKEND': 'dogpile.cache.redis',
                'OSC_IMGURL_CACHE_ARGUMENTS': f'host=127.0.0.1,port={port}',
                'OSC_IMGURL_CACHE_PASSWORD_FILE': 'password'})
        assert done.returncode == 0, done.stderr
        assert "unknown command 'HELLO'" in done.stderr and '***' in done.stderr
        assert password[:20] not in done.stderr
        cache = SharedCache('dogpile.cache.redis', {
            'host': '127.0.0.1', 'port': port}, 60, password)
        with pytest.raises(CacheFailed) as caught:
            cache.delete(['x'])
        assert password[:20] not in shown_by(caught.value, caplog)


URL = (f'https://swift.example.com/v1/AUTH_x/glance/3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5'
       f'?temp_url_sig={"5ec4e7" * 6}5ec4&temp_url_expires=1999999999')


@pytest.mark.parametrize('before', [['-v'], ['--debug'], ['--debug', '--log-file', 'log']])
@pytest.mark.parametrize('after', ['', '&x=y z'])
def test_a_url_on_the_command_line_is_logged_by_openstackclient_only(tmp_path, before, after):
    """It logs the command line before it imports anything of ours, and so nothing is to be done."""
    def run(argument, stdin=''):
        done = commands.run(
            ['--os-auth-type', 'none', *before, 'image', 'temp', 'url', 'show',
             argument],
            stdin=stdin, cwd=tmp_path, env={**commands.ENVIRONMENT, 'HOME': str(tmp_path)})
        log = tmp_path / 'log'
        text = done.stderr + (log.read_text() if log.exists() else '')
        log.unlink(missing_ok=True)
        assert done.returncode == bool(after) and 'START with options' in text
        return [line for line in text.splitlines() if '5ec4e7' in line]

    assert all('START with options' in line for line in run(URL + after))
    assert run('-', URL + after) == []


@pytest.mark.parametrize('given', [
    'https://user:SECRET@h', 'https://user:SEC/R?E#T@h', 'u:SECRET@h'])
def test_credentials_in_an_endpoint(tmp_path, given):
    config = tmp_path / 'ironic.conf'
    config.write_text(f'[glance]\nswift_endpoint_url = {given}\n')
    for options, env in ((['--endpoint-url', given], {}), (['--config-file', str(config)], {}),
                         ([], {'OSC_IMGURL_ENDPOINT_URL': given})):
        done = commands.run(
            ['--os-auth-type', 'none', *CREATE, '3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5',
             *options], cwd=tmp_path, env={**commands.ENVIRONMENT, 'HOME': str(tmp_path), **env})
        assert done.returncode == 1 and not re.search('SEC|R.E.T@', done.stderr)
        assert "Invalid endpoint_url '***@h' (" in done.stderr
