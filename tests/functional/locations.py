"""What an ordinary user may write about an own image, through Glance's own API."""

import contextlib
import http.server
import threading

from .proxy import Server


def plant(cloud, image, *locations, user='demo', store=None, status=200):
    """Give a user's image locations, in this order; Glance keeps them, or this fails."""
    session = cloud.sdk(user).image
    media_type = 'application/openstack-images-v2.1-json-patch'
    for location in locations:
        added = session.patch(
            f'/images/{image}', headers={'Content-Type': media_type},
            json=[{'op': 'add', 'path': '/locations/-',
                   'value': {'url': location, 'metadata': {'store': store} if store else {}}}])
        assert added.status_code == status, added.text
        shown = session.get(f'/images/{image}').json()
        assert shown['locations'][-1]['url'] == location and shown['status'] == 'active'


@contextlib.contextmanager
def attackers_server():
    """Run a server that pretends to be Swift; yield its address and the requests that come."""
    requests = []

    class Attacker(http.server.BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def do(self):
            requests.append(f'{self.command} {self.path}')
            # Glance asks for the object's size, and sets who may read the container.
            self.send_response(200 if self.command == 'HEAD' else 204)
            self.send_header('X-Trans-Id', 'tx0')
            if self.command == 'HEAD':
                self.send_header('Content-Length', '300000')
            self.end_headers()

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do

        def log_message(self, *arguments):
            pass

    with Server(('127.0.0.1', 0), Attacker) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f'127.0.0.1:{server.server_port}', requests
        finally:
            server.shutdown()
            thread.join()
