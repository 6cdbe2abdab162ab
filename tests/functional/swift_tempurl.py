"""Run by Swift's own Python: print what Swift's tempurl middleware answers to each request.

    swift_tempurl.py <Unix time> < requests > answers

A request is a line of JSON: method, target (path and query as they are sent), the client's
address, and the key that is set on the account. An answer is one too: the status, the time in the
header Expires, and the query that the middleware hands on.

HTTP parser and middleware are Swift's. Stubs are what stands around them: the cluster behind, which
answers 200 to whatever the middleware has authorized and 401 to the rest; and the keys of account
and container, which are found where the middleware looks first, in the request's own cache, so
that nobody needs to be asked for them.
"""

import functools
import io
import json
import sys
import types


class Known:
    """The cache of a request that knows the key of every account."""

    def __init__(self, account, container):
        self._account, self._container = account, container

    def __contains__(self, name):
        return True

    def __getitem__(self, name):
        return self._container if name.startswith('container/') else self._account


@functools.cache
def known(key):
    from swift.common.swob import str_to_wsgi
    from swift.proxy.controllers import base

    return Known(
        base.headers_to_account_info({'x-account-meta-temp-url-key': str_to_wsgi(key)}, 200),
        base.headers_to_container_info({}, 200))


def received(method, target, address):
    """Return the request as Swift reads it from a connection, or the status that refuses it."""
    from swift.common.http_protocol import SwiftHttpProtocol

    request, errors = SwiftHttpProtocol.__new__(SwiftHttpProtocol), []
    request.raw_requestline = f'{method} {target} HTTP/1.1\r\n'.encode()
    request.rfile = io.BytesIO(b'\r\n')
    request.client_address = (address, 1)
    # Server, socket and connection in one.
    request.server = request.request = request.connection = types.SimpleNamespace(
        get_environ=dict, getsockname=lambda: ('127.0.0.1', 80))
    request.conn_state = [None, None, None]
    request.send_error = lambda code, *reason: errors.append(code)
    return request if request.parse_request() else errors[0]


def cluster(env, start_response):
    authorized = env.get('REMOTE_USER') == '.wsgi.tempurl'
    start_response('200 OK' if authorized else '401 Unauthorized', [])
    return [env['QUERY_STRING'].encode()]


def answer(middleware, method, target, address, key):
    request = received(method, target, address)
    if isinstance(request, int):
        return {'status': request}
    env = {'QUERY_STRING': '', **request.get_environ(), 'swift.infocache': known(key)}
    sent = {}

    def start_response(status, headers, exc_info=None):
        sent.update(status=int(status.split()[0]), expires=dict(headers).get('Expires'))

    try:
        query = b''.join(middleware(env, start_response)).decode()
    except (ValueError, OverflowError, OSError):
        # The filter catch_errors makes it this.
        return {'status': 500}
    return {**sent, 'query': query}


def main(now):
    from swift.common.middleware import tempurl

    tempurl.time = lambda: float(now)
    middleware = tempurl.filter_factory({}, allowed_digests='sha1 sha256 sha512')(cluster)
    for line in sys.stdin:
        print(json.dumps(answer(middleware, *json.loads(line))))


if __name__ == '__main__':
    main(*sys.argv[1:])
