"""Standard input that is closed, empty, or not text: one line."""

import io

import pytest

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.osc import common
from osc_imgurl.osc.temp_url_list import references
from osc_imgurl.settings.sources import load

USES = {
    'argument': lambda: common.argument('-'),
    'references': lambda: list(references([], '-')),
    'key': lambda: str(load({'key_file': '-'}).key.value, 'utf-8'),
}


@pytest.fixture
def given(monkeypatch):
    return lambda content: monkeypatch.setattr(
        'sys.stdin', io.TextIOWrapper(io.BytesIO(content), encoding='ascii'))


@pytest.mark.parametrize('use', USES)
def test_closed(monkeypatch, use):
    monkeypatch.setattr('sys.stdin', None)
    with pytest.raises(InvalidParameterValue, match=r'^Standard input is closed'):
        USES[use]()


@pytest.mark.parametrize(('use', 'line'), [
    ('argument', 'There is no line on standard input, and - stands for one.'),
    ('references', 'Standard input names no image.'),
    ('key', 'Invalid key (on standard input): it is empty.')])
@pytest.mark.parametrize('content', [b'', b'\n'])
def test_nothing(given, use, line, content):
    given(content)
    with pytest.raises(InvalidParameterValue) as caught:
        USES[use]()
    assert str(caught.value) == line


@pytest.mark.parametrize(('use', 'wanted'), [
    ('argument', 'é'), ('references', ['é']), ('key', 'é')])
def test_something(given, use, wanted):
    """Whatever the locale."""
    given('é\n'.encode())
    assert USES[use]() == wanted


def test_what_is_no_text(given):
    given(b'\xff\n')
    assert USES['argument']() == '\N{REPLACEMENT CHARACTER}'
    given(b'\xff\n')
    with pytest.raises(InvalidParameterValue, match='it is not UTF-8'):
        USES['references']()


def test_a_file_that_names_none_beside_images(tmp_path):
    empty = tmp_path / 'empty'
    empty.touch()
    assert list(references(['x'], str(empty))) == ['x']
    with pytest.raises(InvalidParameterValue, match='empty names no image'):
        list(references([], str(empty)))
