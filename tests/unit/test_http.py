"""No signature in a log, and no warning of a retry."""

import logging
import socket

import pytest
import requests

from osc_imgurl import http
from osc_imgurl.swift.probe import Probe

URL = 'http://127.0.0.1:{}/v1/AUTH_x/glance/3a1f?temp_url_sig=5ec4e7&temp_url_expires=1'


@pytest.fixture
def nobody():
    """Return a port at which nobody answers."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        yield free.getsockname()[1]


def test_urllib3_logs_no_signature(nobody, caplog):
    caplog.set_level(logging.DEBUG)
    session = requests.Session()
    session.mount('http://', http.retrying_adapter(1))
    with pytest.raises(requests.ConnectionError):
        session.head(URL.format(nobody))
    retries = [record for record in caplog.records if record.msg.startswith('Retrying')]
    assert [record.levelname for record in retries] == ['DEBUG']
    assert 'temp_url_sig=***&temp_url_expires=1' in caplog.text
    assert '5ec4e7' not in caplog.text


def test_other_warnings_of_urllib3_stay(caplog):
    logging.getLogger('urllib3.connectionpool').warning('Connection pool is full: %s', 'x')
    assert caplog.record_tuples == [
        ('urllib3.connectionpool', logging.WARNING, 'Connection pool is full: x')]


def test_a_probe_says_why_there_is_no_answer(nobody):
    answer = Probe(num_retries=1).ask(URL.format(nobody))
    assert (answer.status, answer.failure) == (None, 'connection refused')
    assert not answer.works and not answer.refused
