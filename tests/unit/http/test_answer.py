"""Answers that do not end, or end too soon, of a server that says what it is told, byte by byte."""

import contextlib
import gzip
import io
import socket
import threading
import time
import tracemalloc
from unittest.mock import Mock

import pytest
import requests
from keystoneauth1 import exceptions as ksa_exceptions
from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session

from osc_imgurl import http
from osc_imgurl.errors import hide_secrets
from osc_imgurl.http import answer

HEAD = b'HTTP/1.1 200 OK\r\n'
GOOD = HEAD + b'Content-Length: 4\r\n\r\ngood'


@pytest.fixture
def serve():
    """Return a function that has a server answer with parts, a moment between them."""
    with contextlib.ExitStack() as stack:
        ended = threading.Event()

        def serve(*parts):
            listening = stack.enter_context(socket.create_server(('127.0.0.1', 0)))

            def say():
                # Until the listening socket is shut down, or whoever asks goes away.
                with contextlib.suppress(OSError):
                    while True:
                        with listening.accept()[0] as connection, contextlib.suppress(OSError):
                            connection.recv(65536)
                            for part in parts:
                                connection.sendall(part)
                                ended.wait(0.05 if len(parts) > 1 else 0)

            thread = threading.Thread(target=say)
            thread.start()
            stack.callback(thread.join)
            stack.callback(listening.shutdown, socket.SHUT_RDWR)
            stack.callback(ended.set)
            return f'http://127.0.0.1:{listening.getsockname()[1]}/'

        yield serve


def get(url, timeout=20, method='GET'):
    with requests.Session() as session:
        session.mount('http://', answer.LimitingAdapter())
        return session.request(method, url, timeout=timeout)


def drip(text):
    return [bytes([byte]) for byte in text] + [b'.'] * 1000


@pytest.mark.parametrize('text', [b'', HEAD + b'X-Long: ', HEAD + b'Content-Length: 9999\r\n\r\n',
                                  HEAD + b'\r\n', HEAD + b'Transfer-Encoding: chunked\r\n\r\n9'])
def test_a_byte_now_and_then(serve, text):
    # Each of the thousand bytes comes in time, and the last would end the answer.
    with pytest.raises(requests.RequestException) as caught:
        get(serve(text, *drip(b'')), timeout=0.3)
    assert http.failure(caught.value) == 'there is no answer in time'


def test_a_slow_answer_that_ends_in_time(serve):
    assert get(serve(*(bytes([byte]) for byte in GOOD[:20]), GOOD[20:])).content == b'good'


def test_a_read_waits_for_what_is_left_of_the_time(monkeypatch):
    """The socket is a mock: how long a real one waits, a test could only tell by the clock."""
    monkeypatch.setattr(time, 'monotonic', iter([100, 107, 200, 204]).__next__)
    sock = Mock()
    stream = answer._Stream(sock, io.BytesIO(b'xy'), 10)
    assert stream.readinto(bytearray(1)) == stream.readinto(bytearray(1)) == 1
    # What others do with the socket has the whole time again.
    assert [each.args for each in sock.settimeout.mock_calls] == [(10,), (10,), (3,), (10,)]
    with pytest.raises(TimeoutError):
        stream.readinto(bytearray(1))


def data(url, pause=0):
    """Yield data that is read byte by byte, with a pause after each."""
    with requests.Session() as session:
        session.mount('http://', answer.LimitingAdapter(by_part=True))
        with session.get(url, timeout=1, stream=True) as response:
            for chunk in response.iter_content(1):
                time.sleep(pause)
                yield chunk


OF_DATA = HEAD + b'Content-Type: application/octet-stream\r\n'
CHUNKED = [OF_DATA + b'Transfer-Encoding: chunked\r\n\r\n', *[b'1\r\nx\r\n'] * 30, b'0\r\n\r\n']
OF_A_LENGTH = [OF_DATA + b'Content-Length: 30\r\n\r\n', *[b'x'] * 30]


@pytest.mark.parametrize('parts', [CHUNKED, OF_A_LENGTH])
def test_data_takes_as_long_as_its_parts(serve, monkeypatch, parts):
    """Each has the time, however many there are, and more than any other answer may have."""
    monkeypatch.setattr(answer, 'PART', 3)
    monkeypatch.setattr(answer, 'MAX_ANSWER', 9)
    assert b''.join(data(serve(*parts))) == b'x' * 30
    monkeypatch.setattr(answer, 'PART', 30)
    with pytest.raises(requests.RequestException) as caught:
        list(data(serve(*parts)))
    assert http.failure(caught.value) == 'there is no answer in time'


@pytest.mark.parametrize('head', [
    HEAD + b'Content-Type: application/json\r\n', HEAD,
    b'HTTP/1.1 500 Oh\r\nContent-Type: application/octet-stream\r\n'])
def test_what_is_no_data_has_its_limits(serve, monkeypatch, head):
    monkeypatch.setattr(answer, 'MAX_ANSWER', 29)
    with pytest.raises(answer.AnswerTooLarge):
        list(data(serve(head + b'Content-Length: 30\r\n\r\n', b'x' * 30)))


@pytest.mark.parametrize('status', [b'200 OK', b'206 Partial Content'])
def test_data_has_any_size(serve, monkeypatch, status):
    monkeypatch.setattr(answer, 'MAX_ANSWER', 29)
    head = OF_DATA.replace(b'200 OK', status) + b'Content-Length: 30\r\n\r\n'
    assert b''.join(data(serve(head + b'x' * 30))) == b'x' * 30


def test_data_has_its_limits_too_where_nobody_asks_for_it(serve, monkeypatch):
    monkeypatch.setattr(answer, 'MAX_ANSWER', 29)
    url = serve(OF_DATA + b'Content-Length: 30\r\n\r\n' + b'x' * 30)
    for ask in (get, http.limited(Session(), 20).get):
        with pytest.raises((answer.AnswerTooLarge, ksa_exceptions.ClientException)) as caught:
            ask(url)
        assert 'it has more than' in http.unanswered('It', caught.value)
    assert len(http.limited(Session(), 20, by_part=True).get(url).content) == 30


def test_what_is_done_with_data_takes_its_own_time(serve):
    assert b''.join(data(serve(OF_A_LENGTH[0], b'x' * 15, b'x' * 15), pause=0.05)) == b'x' * 30


def test_the_time_is_each_answers_own(server):
    server.plan = [(200, {}, b'x' * 100_000)] * 3
    with requests.Session() as session:
        session.mount('http://', answer.LimitingAdapter())
        for _ in range(3):
            assert len(session.get(server.url, timeout=1).content) == 100_000
            time.sleep(0.5)
    assert len(server.connections) == 1


CUT_OFF = [HEAD, HEAD + b'X-Account-Meta-Temp-Url-Key: the ke', HEAD + b'X-Trans-Id: tx\r\n',
           HEAD + b'Content-Length: 9\r\n\r\ngood']


@pytest.mark.parametrize('text', [
    *CUT_OFF, HEAD + b'Transfer-Encoding: chunked\r\n\r\n9\r\ngood',
    HEAD + b'Transfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n'])
def test_what_is_cut_off(serve, text):
    with pytest.raises(requests.RequestException) as caught:
        get(serve(text))
    assert http.unanswered('It', caught.value) == (
        'It sent an invalid answer: it is cut off.')


def test_the_headers_of_a_head_that_are_cut_off(serve):
    with pytest.raises(requests.RequestException):
        get(serve(CUT_OFF[1]), method='HEAD')


def test_what_is_cut_off_by_a_proxy(serve):
    with requests.Session() as session:
        session.mount('http://', answer.LimitingAdapter())
        for text in CUT_OFF:
            with pytest.raises(requests.RequestException) as caught:
                session.get('http://swift/', proxies={'http': serve(text)}, timeout=20)
            assert http.unanswered('It', caught.value).endswith('it is cut off.')
        proxies = {'http': serve(GOOD)}
        assert session.get('http://swift/', proxies=proxies, timeout=20).content == b'good'


@pytest.mark.parametrize('text', [
    GOOD, HEAD + b'\r\ngood', b'HTTP/1.0 200 OK\r\n\r\ngood',
    HEAD + b'Transfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n'])
def test_what_is_whole(serve, text):
    assert get(serve(text)).content == b'good'


LARGE = b'x' * 100_000


@pytest.mark.parametrize('headers', [b'', b'Content-Length: 100000\r\n'])
def test_what_is_too_large(serve, monkeypatch, headers):
    monkeypatch.setattr(answer, 'MAX_ANSWER', 99_999)
    with pytest.raises(answer.AnswerTooLarge) as caught:
        get(serve(HEAD + headers + b'\r\n' + LARGE))
    assert http.unanswered('It', caught.value) == (
        'It sent an invalid answer: it has more than 32 MiB.')
    monkeypatch.setattr(answer, 'MAX_ANSWER', 100_000)
    assert get(serve(HEAD + headers + b'\r\n' + LARGE)).content == LARGE


# 64 MiB, in less than a kilobyte.
BOMB = gzip.compress(gzip.compress(bytes(2**26)))
ZIPPED = gzip.compress(b'good')


@pytest.mark.parametrize('content_type', [b'text/plain', b'application/octet-stream'])
@pytest.mark.parametrize(('encoding', 'body'), [
    (b'gzip', ZIPPED), (b'gzip', b'good'), (b'gzip, gzip', BOMB), (b'identity, GZIP', BOMB),
    (b'deflate', b'good'), (b'br', b'good'), (b'other', b'good')],
    ids=['gzip', 'not gzip', 'bomb', 'hidden bomb', 'deflate', 'br', 'other'])
def test_what_is_compressed(serve, content_type, encoding, body):
    """It is never decompressed."""
    url = serve(HEAD + b'Content-Type: ' + content_type + b'\r\nContent-Encoding: ' + encoding
                + b'\r\nContent-Length: ' + str(len(body)).encode() + b'\r\n\r\n' + body)
    tracemalloc.start()
    try:
        with pytest.raises(answer.AnswerEncoded) as caught:
            list(data(url))
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()
    assert http.unanswered('It', caught.value) == (
        'It sent an invalid answer: it is compressed, although the request forbids that.')


@pytest.mark.parametrize('encoding', [b'', b'identity', b'Identity'])
def test_what_is_not_compressed(serve, encoding):
    assert get(serve(HEAD + b'Content-Encoding: ' + encoding + b'\r\n\r\ngood')).content == b'good'


def test_what_has_no_body_may_say_how_it_would_be_compressed(serve):
    url = serve(HEAD + b'Content-Encoding: gzip\r\nContent-Length: 999\r\n\r\n')
    assert get(url, method='HEAD').headers['Content-Length'] == '999'


def test_what_is_asked_again_is_not_read(server, naps):
    server.plan = [(503, {}, bytes(2**26)), (200, {}, b'good')]
    with requests.Session() as session:
        session.mount('http://', http.retrying_adapter(1))
        tracemalloc.start()
        try:
            assert session.get(server.url, timeout=20).content == b'good'
            assert tracemalloc.get_traced_memory()[1] < 2**24
        finally:
            tracemalloc.stop()


def test_no_answer_is_to_be_compressed(server):
    get(server.url)
    http.limited(Session(), 7).get(server.url)
    with requests.Session() as session:
        session.mount('http://', http.retrying_adapter(0))
        session.get(server.url, headers={'Accept-Encoding': 'gzip'})
    assert [headers.get_all('Accept-Encoding') for _, _, headers in server.requests] == [
        ['identity']] * 3


def test_a_session_with_limits(serve):
    """The session that it is made of keeps its own, and both are the same otherwise."""
    theirs = Session(verify='/ca.pem', cert='/c.pem', app_name='theirs')
    ours = http.limited(theirs, 7)
    assert (ours.timeout, theirs.timeout) == (7, None)
    assert (ours.verify, ours.cert, ours.app_name) == ('/ca.pem', '/c.pem', 'theirs')
    assert http.limited(Session(timeout=3), 7).timeout == 3
    ours.cert = theirs.cert = None
    url = serve(CUT_OFF[0])
    with pytest.raises(ksa_exceptions.ClientException):
        ours.get(url)
    assert theirs.get(url).status_code == 200


@pytest.mark.parametrize('url', ['http://swift', 'https://swift'])
def test_a_session_has_its_limits_at_any_server(url):
    made = http.limited(Session(), 7).session.get_adapter(url)
    assert isinstance(made, answer.LimitingAdapter)


def test_what_a_session_authenticates_with_is_hidden():
    http.limited(Session(Password('http://keystone', username='u', password='the password')), 7)
    assert hide_secrets('It is the password.') == 'It is ***.'


def test_a_session_with_limits_closes_no_other(server):
    theirs = Session()
    theirs.get(server.url)
    http.limited(theirs, 7).close()
    theirs.get(server.url)
    assert len(server.connections) == 1


@pytest.mark.parametrize(('error', 'sentence'), [
    (requests.ConnectTimeout(), 'It cannot be reached: there is no answer in time.'),
    (requests.ConnectionError(OSError(111, 'Connection refused')),
     'It cannot be reached: connection refused.')])
def test_no_answer_at_all(error, sentence):
    assert http.unanswered('It', error) == sentence
