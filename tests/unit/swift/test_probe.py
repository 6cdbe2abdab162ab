"""Requests without a token to a server of this machine, and what their answers say."""

import logging
import threading

import pytest

from osc_imgurl.swift.probe import Answer, Probe, own_address

QUERY = 'temp_url_sig=5ec4e7&temp_url_expires=1'
MOMENT = 'Mon, 01 Jan 2029 00:00:00 GMT', 1861920000.0


@pytest.fixture
def url(server):
    return f'{server.url}/v1/AUTH_x/glance/3a1f?{QUERY}'


@pytest.mark.parametrize(('method', 'headers'), [
    ('HEAD', None), ('GET', 'bytes=0-0'), ('PUT', None)])
def test_what_is_asked(server, url, method, headers, caplog):
    caplog.set_level(logging.DEBUG, 'osc_imgurl')
    assert Probe().ask(url, method).status == 204
    (asked, path, sent), = server.requests
    assert (asked, path) == (method, f'/v1/AUTH_x/glance/3a1f?{QUERY}')
    assert sent.get('Range') == headers
    assert 'X-Auth-Token' not in sent and 'Authorization' not in sent
    assert caplog.messages == [
        f'Request without a token: {method} /v1/AUTH_x/glance/3a1f', 'Response: 204, None']


def test_a_head_is_asked_unless_another_method_is_given(server, url):
    Probe().ask(url)
    assert server.requests[0][0] == 'HEAD'


@pytest.mark.parametrize(('status', 'headers', 'wanted'), [
    (200, {}, Answer(200, size=0)),
    (200, {'Content-Length': '7', 'X-Trans-Id': 'tx1', 'Date': MOMENT[0], 'Server': 'nginx',
           'Via': 'squid'}, Answer(200, '', 'tx1', MOMENT[1], 7, 'nginx')),
    (200, {'Via': 'squid'}, Answer(200, size=0, server='squid')),
    (200, {'Content-Length': 'x'}, Answer(200)),
    # The part's size, or that of a page of HTML, is not the object's.
    (206, {'Content-Length': '1'}, Answer(206)),
    (401, {'Content-Length': '70', 'X-Trans-Id': 'tx1'}, Answer(401, transaction='tx1')),
    # Swift spells it so.
    (200, {'Content-Length': '7', 'Etag': 'd41d8cd98f00b204e9800998ecf8427e'},
     Answer(200, size=7, md5='d41d8cd98f00b204e9800998ecf8427e')),
    (404, {'Date': 'tomorrow'}, Answer(404)),
    (404, {'Date': f'Mon, 01 Jan {"9" * 25} 00:00:00 GMT'}, Answer(404)),
])
def test_what_is_answered(server, url, status, headers, wanted):
    server.plan = [(status, {**headers, 'Connection': 'close'}, b'')]
    assert Probe().ask(url) == wanted


def test_no_redirection_is_followed(server, url):
    server.plan = [(302, {'Location': f'{server.url}/elsewhere'}, b'')]
    assert Probe().ask(url).status == 302
    assert len(server.requests) == 1


def test_only_what_is_asked_for_is_read(server, url):
    """A server that knows no ranges begins to send the whole image."""
    server.plan = [(200, {'Content-Length': str(10 ** 12)}, b'')]
    assert Probe(timeout=5).ask(url, 'GET').size == 10 ** 12


def test_retries(server, url, naps):
    busy = (503, {}, b'')
    for retries, status in (0, 503), (1, 503), (2, 204):
        server.plan = [busy, busy]
        assert Probe(num_retries=retries).ask(url).status == status
        server.plan = []


def test_no_retries_unless_they_are_given(server, url):
    server.plan = [(503, {}, b'')]
    assert Probe().ask(url).status == 503


@pytest.mark.parametrize(('timeout', 'wanted'), [
    ({}, (4, 10)), ({'timeout': None}, (4, 10)), ({'timeout': 0}, (4, 10)),
    ({'timeout': 3}, (3, 3)), ({'timeout': 4.5}, (4, 4.5)), ({'timeout': 60}, (4, 60))])
def test_how_long_is_waited(requests_mock, timeout, wanted):
    """To connect, and for an answer; waiting for real would be long."""
    requests_mock.head('http://swift/x')
    Probe(**timeout).ask('http://swift/x')
    assert requests_mock.last_request.timeout == wanted


@pytest.mark.parametrize(('verify', 'cert'), [
    ('/ca.pem', '/c.pem'), (False, ('/c.pem', '/k.pem'))])
def test_tls(requests_mock, monkeypatch, verify, cert):
    monkeypatch.delenv('REQUESTS_CA_BUNDLE', raising=False)
    monkeypatch.delenv('CURL_CA_BUNDLE', raising=False)
    requests_mock.head('https://swift/x')
    Probe(verify, cert).ask('https://swift/x')
    sent = requests_mock.last_request
    assert (sent.verify, sent.cert) == (verify, cert)
    Probe().ask('https://swift/x')
    sent = requests_mock.last_request
    assert (sent.verify, sent.cert) == (True, None)


def test_a_connection_serves_many_requests(server, url):
    probe = Probe()
    for _ in range(3):
        probe.ask(url)
    assert len(server.connections) == 1


def test_threads_share_a_probe(server, url):
    probe, found = Probe(), []
    threads = [threading.Thread(target=lambda: found.append(probe.ask(url))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status for answer in [*found, probe.ask(url)]] == [204] * 5


@pytest.mark.parametrize(('status', 'works', 'refused'), [
    (None, False, False), (199, False, False), (200, True, False), (201, False, False),
    (204, True, False), (206, True, False), (302, False, False), (400, False, False),
    (401, False, True), (402, False, False), (403, False, True), (404, False, True),
    (416, True, False), (500, False, False), (503, False, False)])
def test_works_and_refused(status, works, refused):
    answer = Answer(status)
    assert (answer.works, answer.refused) == (works, refused)


@pytest.mark.parametrize(('answer', 'size', 'has_object'), [
    (Answer(200, transaction='tx', size=7), 7, True),
    (Answer(200, transaction='tx', size=7), None, True),
    (Answer(200, transaction='tx', size=7), 8, False),
    (Answer(200, transaction='tx'), 7, False),
    (Answer(200, transaction='tx'), None, True),
    (Answer(200, size=7), 7, False),
    (Answer(401, transaction='tx', size=7), 7, False)])
def test_has_object(answer, size, has_object):
    assert answer.has_object(size) is has_object


@pytest.mark.parametrize(('endpoint', 'address'), [
    ('http://127.0.0.1:8080/x', '127.0.0.1'), ('http://127.0.0.1', '127.0.0.1'),
    ('https://localhost', '127.0.0.1'), ('http://nobody.invalid', None)])
def test_own_address(endpoint, address):
    assert own_address(endpoint) == address
