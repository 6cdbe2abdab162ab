"""How far copies are: one line on a terminal for all, two lines for each elsewhere."""

import io
import logging
import types

import pytest

from osc_imgurl.osc import output
from osc_imgurl.osc.output import ERASE_LINE, Progress

from ..stubs import image


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """Time as a test sets it."""
    monkeypatch.setenv('TERM', 'xterm')
    monkeypatch.setenv('COLUMNS', '100')
    moment = types.SimpleNamespace(now=0.0)
    monkeypatch.setattr(output.time, 'monotonic', lambda: moment.now)
    return moment


def made(stderr, verbose_level=1):
    return Progress(types.SimpleNamespace(
        stderr=stderr, options=types.SimpleNamespace(verbose_level=verbose_level)))


def test_one_copy_has_a_bar_with_its_name(clock):
    stderr = Terminal()
    with made(stderr)(image(name='a\x1b[31m name', size=5_000_000)) as update:
        update(2_000_000)
    text = stderr.getvalue()
    assert text.startswith(ERASE_LINE) and '2.0/5.0 MB' in text and 'a\\x1b[31m name' in text
    # It goes when it is done, and is never more than a line.
    assert text.endswith(ERASE_LINE) and '\n' not in text


def test_copies_at_once_share_a_bar(clock):
    stderr = Terminal()
    shown = made(stderr)
    with shown(image(size=4_000_000)) as first:
        with shown(image(size=4_000_000)) as second:
            first(1_000_000)
            clock.now = 1
            second(2_000_000)
        assert '0 of 2 copies' in stderr.getvalue() and '3.0/8.0 MB' in stderr.getvalue()
        # What failed is not waited for; what is sent again counts once.
        clock.now = 2
        first(500_000)
    assert '1 of 2 copies' in stderr.getvalue() and '2.5/6.0 MB' in stderr.getvalue()
    assert stderr.getvalue().endswith(ERASE_LINE)


def test_a_message_takes_the_place_of_the_bar(clock):
    stderr = Terminal()
    root = logging.getLogger()
    handler = logging.StreamHandler(stderr)
    root.addHandler(handler)
    try:
        with made(stderr)(image(size=5)) as update:
            update(1)
            logging.getLogger(__name__).error('the message')
            update(2)
            clock.now = 1
            update(3)
    finally:
        root.removeHandler(handler)
    before, after = stderr.getvalue().split('the message\n')
    assert before.endswith(ERASE_LINE)
    # It leaves the terminal alone for a while.
    assert after.count(ERASE_LINE) == 2


def test_nothing_is_drawn_after_the_end(clock):
    stderr = Terminal()
    shown = made(stderr)
    with shown(image(size=5)) as update:
        update(1)
        shown.end()
        before = stderr.getvalue()
        clock.now = 1000
        update(2)
    assert stderr.getvalue() == before


def test_the_count_of_a_list(clock):
    stderr = Terminal()
    shown = made(stderr)
    for done, clock.now in enumerate((0.5, 1.5, 1.6, 2.0)):
        shown.count(done)
    shown.hide()
    assert stderr.getvalue() == f'{ERASE_LINE}1 images ...{ERASE_LINE}3 images ...{ERASE_LINE}'


@pytest.mark.parametrize(('stderr', 'term'), [
    (io.StringIO(), 'xterm'), (Terminal(), 'dumb'), (Terminal(), 'unknown')])
def test_two_lines_where_nothing_can_be_drawn(clock, monkeypatch, stderr, term):
    monkeypatch.setenv('TERM', term)
    shown = made(stderr)
    clock.now = 9
    shown.count(1)
    with shown(image(id='1', name='a\nname', size=5_000_000)) as update:
        clock.now = 10.25
        update(5)
    shown.end()
    assert stderr.getvalue() == (
        'Copying a\\nname (1): 5.0 MB ...\nCopied a\\nname (1) in 1.2 s\n')


def test_a_copy_that_fails_does_not_end(clock):
    stderr = io.StringIO()
    shown = made(stderr)(image(id='1', name=None, size=5))
    with pytest.raises(ValueError, match='It fails'), shown:
        raise ValueError('It fails.')
    assert stderr.getvalue() == 'Copying 1: 0.0 MB ...\n'


@pytest.mark.parametrize('stderr', [io.StringIO(), Terminal()])
def test_quiet(clock, stderr):
    shown = made(stderr, verbose_level=0)
    with shown(image(size=5)) as update:
        update(5)
    clock.now = 9
    shown.count(1)
    assert stderr.getvalue() == ''
