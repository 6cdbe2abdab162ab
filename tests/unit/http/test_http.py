"""No signature in a log, no warning of a retry, and one line for every failure."""

import contextlib
import itertools
import logging
import socket
import subprocess
import sys
import threading
import time
import types

import pytest
import requests
import urllib3.exceptions
from keystoneauth1 import exceptions as ksa_exceptions
from keystoneauth1.session import Session

from osc_imgurl import http
from osc_imgurl.http import answer
from osc_imgurl.swift.probe import Probe

URL = 'http://127.0.0.1:{}/v1/AUTH_x/glance/3a1f?temp_url_sig=5ec4e7&temp_url_expires=1'
LOGGERS = [logging.getLogger(f'urllib3.{name}')
           for name in ('connection', 'connectionpool', 'util.retry')]


@pytest.fixture(autouse=True)
def as_imported(monkeypatch):
    """Loggers as they are where nobody has called the library yet."""
    for logger in LOGGERS:
        monkeypatch.setattr(logger, 'filters', [])


@pytest.fixture
def dropping():
    """Return the URL of a server that reads requests and closes, and what it has read."""
    with socket.create_server(('127.0.0.1', 0)) as listening:
        requests = []

        def drop():
            # Until the listening socket is shut down.
            with contextlib.suppress(OSError):
                while True:
                    with listening.accept()[0] as connection:
                        requests.append(connection.recv(65536))

        thread = threading.Thread(target=drop)
        thread.start()
        yield f'http://127.0.0.1:{listening.getsockname()[1]}', requests
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def retry_in_vain(port):
    session = requests.Session()
    session.mount('http://', http.retrying_adapter(1))
    with pytest.raises(requests.ConnectionError):
        session.head(URL.format(port))


def test_urllib3_logs_no_signature(nobody, caplog):
    http.hide_signatures()
    caplog.set_level(logging.DEBUG)
    retry_in_vain(nobody)
    retries = [record for record in caplog.records if record.msg.startswith('Retrying')]
    assert [(record.levelname, record.levelno) for record in retries] == [('DEBUG', logging.DEBUG)]
    assert 'temp_url_sig=***&temp_url_expires=1' in caplog.text
    assert '5ec4e7' not in caplog.text


@pytest.mark.parametrize('logger', LOGGERS, ids=lambda logger: logger.name)
def test_signatures_are_hidden_in_arguments_too(logger, caplog):
    for _ in range(2):
        http.hide_signatures()
    assert len(logger.filters) == 1
    logger.warning('%s "%s"', 'GET', '/x?temp_url_sig=5ec4e7&a=b')
    assert caplog.messages == ['GET "/x?temp_url_sig=***&a=b"']


def test_other_warnings_of_urllib3_stay(caplog):
    http.hide_signatures()
    logging.getLogger('urllib3.connectionpool').warning('Connection pool is full: %s', 'x')
    assert caplog.record_tuples == [
        ('urllib3.connectionpool', logging.WARNING, 'Connection pool is full: x')]


def test_an_import_leaves_urllib3s_log_alone(nobody, caplog):
    code = ('import logging\n'
            'from osc_imgurl.glance import image_service\n'
            'from osc_imgurl.swift import object_store, probe\n'
            f'print([logging.getLogger(name).filters for name in {[x.name for x in LOGGERS]}])')
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout == '[[], [], []]\n'
    caplog.set_level(logging.DEBUG)
    retry_in_vain(nobody)
    assert 'temp_url_sig=5ec4e7' in caplog.text


def test_our_own_log_has_no_signature_all_the_same(nobody, server, caplog):
    caplog.set_level(logging.DEBUG)
    assert Probe(num_retries=1).ask(URL.format(nobody)).status is None
    assert Probe().ask(URL.format(server.server_port)).status == 204
    ours = [record.getMessage() for record in caplog.records
            if record.name.startswith('osc_imgurl')]
    assert ours == [f'{start} {end}' for end, start in (
        ('HEAD /v1/AUTH_x/glance/3a1f', 'Request without a token:'),
        ('in 0.0 s: connection refused', 'Next attempt'),
        ('connection refused, None', 'Response:'),
        ('HEAD /v1/AUTH_x/glance/3a1f', 'Request without a token:'), ('204, None', 'Response:'))]


def test_a_probe_says_why_there_is_no_answer(nobody):
    answer = Probe(num_retries=1).ask(URL.format(nobody))
    assert (answer.status, answer.failure) == (None, 'connection refused')
    assert not answer.works and not answer.refused


@pytest.mark.parametrize('method', ['GET', 'HEAD', 'POST'])
@pytest.mark.parametrize('status', [429, 503])
def test_a_busy_server_is_asked_again(server, naps, method, status):
    session = requests.Session()
    session.mount(server.url, http.retrying_adapter(3))
    server.plan = [(status, {}, b'')] * 3
    assert session.request(method, server.url).status_code == 204
    assert [each[0] for each in server.requests] == [method] * 4
    assert naps == [1, 2]
    server.plan = [(status, {'Retry-After': '7'}, b'')] * 4
    assert session.request(method, server.url).status_code == status
    assert naps == [1, 2, 7, 7, 7]


@pytest.mark.parametrize(('asked', 'waited'), [
    ('7', 7), ('10', 10), ('11', 1), ('999999999999', 1), ('0', 1), ('soon', 1), ('-5', 1)])
def test_a_server_may_ask_for_some_seconds(server, naps, asked, waited):
    session = requests.Session()
    session.mount(server.url, http.retrying_adapter(2))
    for each in (session, http.limited(Session(), 7, 2)):
        server.plan = [(503, {}, b''), (503, {'Retry-After': asked}, b'')]
        assert each.get(server.url).status_code == 204
    # As without such a header: the first is no wait, and the second one second.
    assert naps == [waited] * 2


@pytest.mark.parametrize('status', [429, 503])
def test_a_session_asks_again_for_what_it_reads_only(server, naps, status):
    session = http.limited(Session(), 7, 2)
    for method in ('GET', 'HEAD'):
        server.plan = [(status, {}, b'')] * 2
        assert session.request(server.url, method).status_code == 204
    for method in ('POST', 'PUT', 'PATCH', 'DELETE'):
        server.plan = [(status, {}, b'')]
        assert session.request(server.url, method, raise_exc=False).status_code == status
    assert len(server.requests) == 3 + 3 + 4


def test_a_session_asks_again_where_a_connection_is_closed(dropping):
    url, requests = dropping
    for method, times in (('GET', 3), ('POST', 1)):
        with pytest.raises(ksa_exceptions.ConnectFailure):
            http.limited(Session(), 7, 2).request(url, method)
        assert len(requests) == times
        requests.clear()


@pytest.fixture
def clock(monkeypatch):
    """Return a list whose first item is how late it is for what limits answers, in seconds."""
    late, true = [0], time.monotonic
    monkeypatch.setattr('osc_imgurl.http.answer.time', types.SimpleNamespace(
        monotonic=lambda: true() + late[0]))
    return late


@pytest.fixture
def silent():
    with socket.create_server(('127.0.0.1', 0)) as listening:
        yield listening, f'http://127.0.0.1:{listening.getsockname()[1]}'


def count_connections(listening):
    listening.setblocking(False)
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            listening.accept()[0].close()
            count += 1
    return count


@pytest.mark.parametrize('method', ['GET', 'HEAD', 'POST'])
def test_a_silent_server_is_waited_for_once(silent, server, clock, naps, method):
    listening, url = silent
    session = requests.Session()
    session.mount('http://', http.retrying_adapter(3))
    for _ in range(3):
        with pytest.raises(answer.NoAnswerInTime, match='there is no answer in time') as caught:
            session.request(method, url, timeout=.1)
        assert http.failure(caught.value) == 'there is no answer in time'
    assert session.request(method, server.url, timeout=1).status_code == 204
    assert count_connections(listening) == 1 and naps == []
    clock[0] = answer.SILENCE
    with pytest.raises(answer.NoAnswerInTime):
        session.request(method, url, timeout=.1)
    assert count_connections(listening) == 1


def test_keystoneauth_waits_for_a_silent_server_once(silent, naps):
    listening, url = silent
    session = http.limited(Session(), .1, 3)
    for _ in range(2):
        with pytest.raises(ksa_exceptions.ConnectionError) as caught:
            session.get(url)
        assert http.failure(caught.value) == 'there is no answer in time'
    assert count_connections(listening) == 1 and naps == []


def test_an_answer_that_does_not_end_is_waited_for_once(server, naps):
    server.plan = [(200, {'Content-Length': '9'}, b'begun')] * 2
    session = http.limited(Session(), .1, 3)
    for _ in range(2):
        with pytest.raises(ksa_exceptions.ConnectionError):
            session.get(server.url)
    assert len(server.requests) == 1 and naps == []


def test_a_part_of_an_upload_is_sent_again(silent, naps):
    listening, url = silent
    session = requests.Session()
    session.mount('http://', http.retrying_adapter(0))
    for _ in range(2):
        with pytest.raises(answer.NoAnswerInTime):
            session.put(url, data=iter([b'data']), timeout=.1)
    assert count_connections(listening) == 2


def test_a_certificate_that_is_wrong_stays_so():
    retries = http.retrying_adapter(3).max_retries
    with pytest.raises(urllib3.exceptions.MaxRetryError):
        retries.increment('GET', URL, error=urllib3.exceptions.SSLError('x'))


@pytest.mark.parametrize('status', [400, 401, 404, 408, 428, 430, 500, 502, 504])
def test_other_statuses_are_answers(server, status):
    session = requests.Session()
    session.mount(server.url, http.retrying_adapter(3))
    server.plan = [(status, {}, b'')]
    assert session.get(server.url).status_code == status
    assert len(server.requests) == 1


@pytest.mark.parametrize(('headers', 'length'), [
    ({'Content-Length': '0'}, 0), ({'Content-Length': '7'}, 7),
    ({'Content-Length': '9' * 19}, int('9' * 19)), ({'Content-Length': '1' + '0' * 19}, None),
    ({'Content-Length': '+7'}, None), ({'Content-Length': '7 '}, None),
    ({'Content-Length': '²'}, None), ({'Content-Length': ''}, None), ({}, None)])
def test_content_length(headers, length):
    assert http.content_length(headers) == length


@pytest.mark.parametrize(('date', 'moment'), [
    ('Tue, 14 Nov 2023 22:13:20 GMT', 1_700_000_000), ('Tue, 14 Nov 2023 22:13:20 +0100',
                                                       1_699_996_400),
    ('x', None), ('', None), ('Tue, 14 Nov 99999 22:13:20 GMT', None)])
def test_read_time(date, moment):
    assert http.read_time({'Date': date}, 'Date') == moment
    assert http.read_time({'Date': date}, 'Last-Modified') is None


def test_no_password_of_a_netrc(server, tmp_path, monkeypatch):
    netrc = tmp_path / 'netrc'
    netrc.write_text('machine 127.0.0.1 login somebody password secret\n')
    monkeypatch.setenv('NETRC', str(netrc))
    requests.get(server.url, timeout=5, **http.request_options(None, None))
    requests.get(server.url, timeout=5)
    assert [headers.get('Authorization') is None for *_, headers in server.requests] == [
        True, False]


def test_no_redirection_is_followed(server):
    server.plan = [(307, {'Location': f'{server.url}/elsewhere'}, b'')]
    response = requests.get(server.url, timeout=5, **http.request_options(True, None))
    assert response.status_code == 307
    assert len(server.requests) == 1


def chain(*errors):
    """Return an error that comes of the next, and so on."""
    for error, cause in itertools.pairwise(errors):
        error.__cause__ = cause
    return errors[0]


def reason(text):
    """Return how requests and urllib3 wrap an error: in an argument, and as a reason."""
    return requests.ConnectionError(urllib3.exceptions.MaxRetryError(None, URL, text))


@pytest.mark.parametrize(('error', 'wanted'), [
    (requests.exceptions.SSLError(OSError(1, 'Operation not permitted')),
     'its certificate is not accepted, or it does not speak TLS'),
    (requests.exceptions.ProxyError(OSError(111, 'Connection refused')),
     'the HTTP proxy of this machine\'s environment does not answer'),
    (reason(urllib3.exceptions.ConnectTimeoutError('x')), 'there is no answer in time'),
    (chain(requests.ConnectionError(), OSError(113, 'No route to host')), 'no route to host'),
    (reason(OSError(104, 'Connection reset by peer')), 'connection reset by peer'),
    (requests.ConnectionError(socket.gaierror(-2, 'Name or service not known')),
     'name or service not known'),
    (OSError(), 'the connection is closed before an answer comes'),
    (requests.ConnectTimeout(), 'there is no answer in time'),
    (requests.ReadTimeout(), 'there is no answer in time'),
    (reason(urllib3.exceptions.ReadTimeoutError(None, URL, 'x')), 'there is no answer in time'),
    (requests.exceptions.InvalidURL(), 'its address or its answer is invalid'),
    (ValueError(), 'its address or its answer is invalid'),
    (OverflowError(), 'its address or its answer is invalid'),
    (requests.ConnectionError('Connection aborted.'),
     'the connection is closed before an answer comes'),
])
def test_failure(error, wanted):
    assert http.failure(error) == wanted


def test_failure_of_an_error_while_another_was_handled():
    error = requests.RequestException()
    error.__context__ = OSError(28, 'No space left on device')
    assert http.failure(error) == 'no space left on device'
