"""Why no TLS connection is made: by real servers, each with one thing wrong."""

import contextlib
import http.server
import socket
import ssl
import threading

import pytest
import requests

from osc_imgurl import http as our_http
from osc_imgurl.errors import CLIENT_CERTIFICATE, TRUSTED_AUTHORITY

from ...certificates import OTHER_HOST, authority

TRUSTED, OTHER = authority(), authority()
GOOD = TRUSTED.sign()
CLOCK = 'Look whether this machine\'s clock is right; if it is, '
UNKNOWN = ('its certificate is signed by an authority that is not trusted here',
           'If this is the right server, name the file with its authority.', TRUSTED_AUTHORITY)
HANDSHAKE = ('it closes the connection during the TLS handshake; it may require a client'
             ' certificate', 'If it does, give one, and its key.', CLIENT_CERTIFICATE)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response_only(204)
        self.end_headers()


class Server(http.server.ThreadingHTTPServer):
    """Reads what a client still sends, so that it gets to read why it is refused."""

    def shutdown_request(self, request):
        with contextlib.suppress(OSError), socket.socket(fileno=request.detach()) as plain:
            plain.shutdown(socket.SHUT_WR)
            plain.settimeout(5)
            while plain.recv(65536):
                pass

    def handle_error(self, request, client_address):
        """That a client is refused is what is wanted."""


@pytest.fixture
def file(tmp_path):
    """Return a function that writes a certificate with its key, and returns the file's path."""
    def write(certificate):
        path = tmp_path / str(certificate.certificate.serial_number)
        path.write_bytes(certificate.pem)
        return str(path)
    return write


@pytest.fixture
def serve(file):
    """Return a function that starts a server and returns its URL."""
    with contextlib.ExitStack() as stack:
        def start(certificate, clients=None, **options):
            server = stack.enter_context(Server(('127.0.0.1', 0), Handler))
            if certificate:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(file(certificate))
                if clients:
                    context.load_verify_locations(file(clients))
                    context.verify_mode = ssl.CERT_REQUIRED
                for name, value in options.items():
                    setattr(context, name, value)
                server.socket = context.wrap_socket(
                    server.socket, server_side=True, do_handshake_on_connect=False)
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return f'https://127.0.0.1:{server.server_port}'
        yield start


def explained(url, verify, cert=None):
    """Return what is said, and is to be done, where a server is asked in vain."""
    with pytest.raises(requests.exceptions.SSLError) as caught:
        requests.get(f'{url}/?temp_url_sig=5ec4e7', timeout=10, verify=verify, cert=cert)
    return our_http.failure(caught.value), *our_http.remedy(caught.value)


@pytest.mark.parametrize(('certificate', 'wanted'), [
    (OTHER.sign(), UNKNOWN),
    (OTHER, UNKNOWN),
    (TRUSTED.sign(begins=-2, ends=-1), (
        'its certificate, or its authority\'s, has expired',
        f'{CLOCK}have the server\'s operator renew the certificate.')),
    (TRUSTED.sign(begins=1, ends=2), (
        'its certificate, or its authority\'s, is not valid yet',
        f'{CLOCK}tell the server\'s operator.')),
    (TRUSTED.sign(OTHER_HOST), (
        'its certificate is another host\'s',
        'Use the host name in the certificate, or have the server\'s operator correct'
        ' it.')),
    (None, ('it does not speak TLS', 'Correct its URL, which begins with https.'))],
    ids=['unknown authority', 'self-signed', 'expired', 'not yet valid', 'another host', 'no TLS'])
def test_what_is_wrong_with_a_server(serve, file, certificate, wanted):
    assert explained(serve(certificate), file(TRUSTED)) == wanted


def test_a_good_server_is_asked(serve, file):
    assert requests.get(serve(GOOD), timeout=10, verify=file(TRUSTED)).status_code == 204


def test_a_server_that_wants_a_clients_certificate(serve, file):
    """With TLS 1.3 the client has sent its request already, and may not read why it is refused."""
    older = serve(GOOD, OTHER, maximum_version=ssl.TLSVersion.TLSv1_2)
    newer = serve(GOOD, OTHER)
    assert explained(older, file(TRUSTED)) == HANDSHAKE
    assert explained(newer, file(TRUSTED)) in (HANDSHAKE, (
        'it requires a client certificate', 'Give one, and its key.', CLIENT_CERTIFICATE))
    for url in (older, newer):
        assert requests.get(url, timeout=10, verify=file(TRUSTED),
                            cert=file(OTHER.sign())).status_code == 204
    assert explained(older, file(TRUSTED), file(TRUSTED.sign())) == (
        'it does not accept the client\'s certificate',
        'Give one that the server\'s operator accepts.', CLIENT_CERTIFICATE)


def test_files_that_hold_something_else(serve, file, tmp_path):
    url = serve(GOOD)
    (tmp_path / 'empty').touch()
    assert explained(url, str(tmp_path / 'empty')) == (
        'the file with trusted authorities holds no certificate', 'Name another.',
        TRUSTED_AUTHORITY)
    for key in (file(OTHER), str(tmp_path / 'empty')):
        assert explained(url, file(TRUSTED), (file(GOOD), key)) == (
            'the client\'s certificate and its key do not belong together, or cannot be read',
            'Name others.', CLIENT_CERTIFICATE)


def verification(code, message):
    error = ssl.SSLCertVerificationError(1, 'x')
    error.verify_code, error.verify_message = code, message
    return error


def protocol(reason):
    error = ssl.SSLError(1, 'x')
    error.reason = reason
    return error


@pytest.mark.parametrize(('error', 'reason', 'remedies'), [
    # What OpenSSL's defaults of today, or a server of today, do not do.
    (verification(20, 'x'), UNKNOWN[0], 2),
    (verification(62, 'x'), 'its certificate is another host\'s', 1),
    (verification(66, 'EE certificate key too weak'),
     'its certificate is not accepted: EE certificate key too weak', 0),
    (protocol('UNSUPPORTED_PROTOCOL'), 'it supports no TLS version that this machine accepts', 1),
    (protocol('TLSV1_ALERT_PROTOCOL_VERSION'),
     'it supports no TLS version that this machine accepts', 1),
    (protocol('TLSV1_ALERT_UNKNOWN_CA'), 'it does not accept the client\'s certificate', 2),
    (protocol('DH_KEY_TOO_SMALL'), 'TLS fails: dh key too small', 0),
    (ssl.SSLEOFError(8, 'x'), HANDSHAKE[0], 2),
    (protocol(None), 'its certificate is not accepted, or it does not speak TLS', 0),
    (OSError(1, 'x'), 'its certificate is not accepted, or it does not speak TLS', 0)])
def test_what_else_may_be_wrong(error, reason, remedies):
    failed = requests.exceptions.SSLError(error)
    assert (our_http.failure(failed), len(our_http.remedy(failed))) == (reason, remedies)
