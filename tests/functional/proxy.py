"""A real HTTP proxy in front of a real server, which misbehaves when told to."""

import contextlib
import dataclasses
import html
import http.server
import json
import ssl
import sys
import threading
import time
import traceback
import urllib.parse

import requests

# Of one connection each, and not to be passed on (RFC 9110, section 7.6.1).
HOP_BY_HOP = ('connection', 'transfer-encoding', 'keep-alive')


class Server(http.server.ThreadingHTTPServer):
    """Says what fails to this process: a command that runs in it has ``sys.stderr``."""

    def handle_error(self, request, client_address):
        traceback.print_exc(file=sys.__stderr__)


class From(requests.adapters.HTTPAdapter):
    """Connects from one of this machine's addresses."""

    def __init__(self, address):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, **kwargs, source_address=(self.address, 0))


@dataclasses.dataclass(frozen=True)
class Echo:
    """An answer that quotes all of its request: in its headers, and in its body as ``kind``.

    The body begins with the request's headers whose names have ``about`` in them.
    """

    status: int
    kind: str = 'text/plain'
    about: str = ''

    def quote(self, handler, sent):
        quoted = [f'{name}: {value}' for name, value in handler.headers.items()]
        quoted.sort(key=lambda line: self.about not in line)
        text = ' '.join([*quoted, handler.path, sent.decode(errors='replace')])
        body = {'text/html': lambda: f'<html><p>{html.escape(text)}</p></html>',
                'application/json': lambda: json.dumps(
                    {'error': {'message': text, 'code': self.status, 'title': 'x'}}),
                'text/plain': lambda: text}[self.kind]()
        said = ' '.join(text.split())[:8000]
        return {'Content-Type': f'{self.kind}; charset=utf-8', 'X-Trans-Id': said, 'Server': said,
                'Location': f'http://elsewhere/{urllib.parse.quote(said)}',
                'X-Openstack-Request-Id': said}, body.encode()


class Proxy:
    """Passes requests on to a server; ``url`` is where it listens.

    ``plan`` says what happens to the next requests, one after another: ``'drop'`` closes the
    connection without an answer, ``'lose'`` does so when the server has answered, ``'delay'``
    answers nothing until the proxy ends, ``'drip'``
    answers a byte now and then, bytes are all that is sent before the connection is closed,
    ``(status, headers)`` or ``(status, headers, body)`` is an answer (a ``Content-Length`` of
    None: without one), and a function gives the parts of an answer's body that are passed on (if
    these are less, the connection is closed then), and an :class:`Echo` quotes the request; a path
    that ``only`` is not part of goes past the plan. ``requests`` are those that came, as "METHOD
    path", ``moments`` when, in seconds, and ``headers`` the names of their headers. No request is
    answered before as many have come as the barrier ``together`` wants; ``only`` holds for it too.
    ``source`` is the address that the server sees; it sees no ``below`` at the beginning of a path.
    """

    def __init__(self, url):
        self.target = url
        self.plan = []
        self.only = ''
        self.below = ''
        self.source = '127.0.0.1'
        self.requests = []
        self.moments = []
        self.headers = []
        self.ended = threading.Event()
        self.together = None
        self.most_at_once = 0
        self.at_once = 0
        self.lock = threading.Lock()

    def handle(self, handler):
        with self.lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.together and self.only in handler.path:
                self.together.wait(30)
            self.respond(handler)
        finally:
            with self.lock:
                self.at_once -= 1

    def respond(self, handler):
        self.requests.append(f'{handler.command} {handler.path.partition("?")[0]}')
        self.moments.append(time.monotonic())
        self.headers.append(set(map(str.lower, handler.headers.keys())))
        body = self.body(handler)
        step = self.plan.pop(0) if self.plan and self.only in handler.path else None
        if step == 'drop':
            handler.close_connection = True
        elif step == 'delay':
            self.ended.wait()
            handler.close_connection = True
        elif step == 'drip':
            handler.close_connection = True
            self.drip(handler)
        elif isinstance(step, Echo):
            self.answer(handler, step.status, *step.quote(handler, body))
        elif isinstance(step, bytes):
            handler.close_connection = True
            # Who has seen enough goes away.
            with contextlib.suppress(ConnectionError):
                handler.wfile.write(step)
        elif isinstance(step, tuple):
            self.answer(handler, *step)
        else:
            with requests.Session() as session:
                # The environment is that of the command which asks.
                session.trust_env = False
                session.mount('http://', From(self.source))
                answer = session.request(
                    handler.command, self.target + handler.path.removeprefix(self.below),
                    data=body,
                    headers={name: value for name, value in handler.headers.items()
                             if name.lower() not in HOP_BY_HOP},
                    allow_redirects=False, stream=True, timeout=30)
                if step == 'lose':
                    handler.close_connection = True
                    return
                self.answer(handler, answer.status_code, answer.headers,
                            answer.raw.read(decode_content=False), step)

    def drip(self, handler):
        with contextlib.suppress(ConnectionError):
            handler.wfile.write(b'HTTP/1.1 200 OK\r\nX-Trans-Id: ')
            while not self.ended.wait(0.1):
                handler.wfile.write(b'x')

    @staticmethod
    def body(handler):
        if handler.headers.get('Transfer-Encoding') != 'chunked':
            return handler.rfile.read(int(handler.headers.get('Content-Length', 0)))
        body = b''
        while size := int(handler.rfile.readline(), 16):
            body += handler.rfile.read(size)
            handler.rfile.readline()
        handler.rfile.readline()
        return body

    @staticmethod
    def answer(handler, status, headers, body=b'', parts_of=None):
        handler.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in HOP_BY_HOP and name.lower() != 'content-length':
                handler.send_header(name, value)
        length = str(len(body))
        if handler.command == 'HEAD':
            length = headers.get('Content-Length', length)
        if length is not None:
            handler.send_header('Content-Length', length)
        handler.end_headers()
        written = 0
        for part in parts_of(body) if parts_of else [body]:
            written += handler.wfile.write(part)
        handler.close_connection |= written < len(body)


@contextlib.contextmanager
def proxy(url, certificate=None, client_certificate=None):
    """Run a proxy in front of a server at a URL; of any server, where the URL is empty.

    With a certificate (a file with its key) it speaks TLS, and with a client's it serves nobody
    else.
    """
    made = Proxy(url)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def handle(self):
            # Who asks may end at any moment, and may refuse the certificate.
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                super().handle()

        def do(self):
            made.handle(self)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do

        def log_message(self, *args):
            pass

    server = Server(('127.0.0.1', 0), Handler)
    made.url = f'http{"s" if certificate else ""}://127.0.0.1:{server.server_port}'
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        if client_certificate:
            context.load_verify_locations(client_certificate)
            context.verify_mode = ssl.CERT_REQUIRED
        server.socket = context.wrap_socket(server.socket, server_side=True,
                                            do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield made
    finally:
        made.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
