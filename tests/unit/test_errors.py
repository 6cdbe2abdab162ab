"""What the library says is one line that does nothing to a terminal, whoever wrote parts of it."""

import importlib
import logging
import pkgutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

import osc_imgurl
from osc_imgurl.check.finding import failed
from osc_imgurl.errors import MAX_QUOTED, ImgurlError, one_line, printable

# Every character there is, lone surrogates included.
texts = st.text(st.characters())
ODD = '\0\a\r\n\x1b\x7f\x85\x9b\xad\u061c\u200b\u200d\u2028\u2029\u202e\u2066\ufeff\ud800\U000e0001'


@given(texts)
def test_printable(text):
    shown = printable(text)
    assert shown.isprintable() and printable(shown) == shown
    assert text.isprintable() == (shown == text)


def test_what_is_escaped_is_named():
    assert printable(ODD) == (
        r'\x00\x07\r\n\x1b\x7f\x85\x9b\xad\u061c\u200b\u200d\u2028\u2029\u202e\u2066\ufeff\ud800'
        r'\U000e0001')
    assert printable('Blåbær ☃ \\x1b') == 'Blåbær ☃ \\x1b'


@given(texts, texts)
def test_an_error_and_a_finding(problem, remedy):
    error, verdict = ImgurlError(problem, remedy), failed(problem, remedy)
    for text in (str(error), error.problem, error.remedy, verdict.detail, verdict.remedy):
        assert text.isprintable()
    assert (verdict.detail, verdict.remedy) == (error.problem, error.remedy)


def test_another_librarys_message_is_cut_off():
    assert one_line(ValueError('too\n <b>long</b>\t')) == 'too <b>long</b>'
    assert one_line(ValueError('x' * 10_000)) == 'x' * MAX_QUOTED + ' ...'
    assert one_line(ValueError()) == 'ValueError'


@pytest.mark.parametrize('module', [
    each.name for each in pkgutil.walk_packages(osc_imgurl.__path__, 'osc_imgurl.')
    if not each.name.startswith('osc_imgurl.osc')])
def test_every_log_is_printable(module, caplog):
    log = getattr(importlib.import_module(module), 'LOG', None)
    if log:
        caplog.set_level(logging.DEBUG)
        log.warning('%s and %d', ODD, 3)
        log.debug('as it is: %s', 'x')
        first, second = caplog.records
        assert first.getMessage() == f'{printable(ODD)} and 3'
        assert (second.msg, second.args) == ('as it is: %s', ('x',))
