"""A cloud of answers, and a server on this machine that answers what it is given."""

import contextlib
import http.server
import socket
import threading
import time

import pytest
from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session

from osc_imgurl import errors

KEYSTONE = 'http://keystone/v3'
INTERFACES = {'public': '', 'internal': 'in-', 'admin': 'admin-'}


@pytest.fixture(autouse=True)
def no_secrets(monkeypatch):
    """Forget the secrets of other tests, whose keys are words."""
    monkeypatch.setattr(errors, '_secrets', {})


@pytest.fixture
def cloud(requests_mock):
    """A stub of a cloud: what it answers is registered with requests-mock, the token is.

    It stands for real servers that answer what no local cloud can be made to answer. The catalog
    has two regions; the endpoints of the second begin with ``two-``.
    """
    return Cloud(requests_mock)


class Cloud:
    """Keystone, and whatever a test registers."""

    def __init__(self, mock):
        self.mock = mock
        self.catalog = [
            {'type': kind, 'endpoints': [
                {'interface': interface, 'region_id': f'{prefix}region',
                 'region': f'{prefix}region', 'url': f'http://{prefix}{before}{host}'}
                for prefix in ('', 'two-')
                for interface, before in INTERFACES.items()]}
            for kind, host in (('image', 'glance'), ('object-store', 'swift/v1/AUTH_p'))]
        self.token = {'expires_at': '2999-01-01T00:00:00Z', 'methods': ['password'],
                      'user': {'id': 'u', 'name': 'u'}, 'catalog': self.catalog,
                      'project': {'id': 'p', 'name': 'the project', 'domain': {'id': 'd'}}}
        self.mock.get(KEYSTONE, json={'version': {
            'id': 'v3.14', 'status': 'stable', 'links': [{'rel': 'self', 'href': KEYSTONE}]}})
        self.keystone = self.mock.post(f'{KEYSTONE}/auth/tokens', json={'token': self.token},
                                       headers={'X-Subject-Token': 'the token'})

    def session(self, **options):
        scope = {'project_id': 'p'} if 'project' in self.token else {'system_scope': 'all'}
        return Session(auth=Password(KEYSTONE, user_id='u', password='secret', **scope),
                       **options)

    @property
    def asked(self):
        """The requests to others than Keystone: method and URL."""
        return [f'{each.method} {each.url}' for each in self.mock.request_history
                if 'keystone' not in each.netloc]


@pytest.fixture
def naps(monkeypatch):
    """How long was waited for, in seconds; nobody does."""
    found = []
    monkeypatch.setattr(time, 'sleep', found.append)
    return found


@pytest.fixture
def nobody():
    """Return a port at which nobody answers."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        yield free.getsockname()[1]


@pytest.fixture
def server():
    """A server that answers by its ``plan``: status, headers and body of each answer in turn."""
    with Server() as made:
        yield made


class Server(http.server.ThreadingHTTPServer):
    """Answers 204 when the plan is at its end; ``requests`` are method, path and headers.

    ``connections`` are the clients' ports.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(('127.0.0.1', 0), _Handler)
        self.plan, self.requests, self.connections = [], [], set()
        self.url = f'http://127.0.0.1:{self.server_port}'
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request, client_address):
        """Nobody is to read that a client went away."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def _answer(self):
        self.server.requests.append((self.command, self.path, self.headers))
        self.server.connections.add(self.client_address[1])
        self.rfile.read(int(self.headers.get('Content-Length', 0)))
        status, headers, body = self.server.plan.pop(0) if self.server.plan else (204, {}, b'')
        self.send_response_only(status)
        for name, value in {'Content-Length': str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body if self.command != 'HEAD' else b'')

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

    def log_message(self, *args):
        pass
