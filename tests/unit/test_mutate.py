"""The mutation check: what it changes, what it leaves alone, and what it says of a project."""

import importlib.util
import pathlib
import shutil
import subprocess
import sys

import pytest

TOOL = pathlib.Path(__file__).parents[2] / 'tools/mutate.py'
SPEC = importlib.util.spec_from_file_location('mutate', TOOL)
mutate = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(mutate)

IDLE = '''\
"""A module."""
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import types
__all__ = ['name']
text = 'A text that people read'
where: 'Literal[3]' = f'{1 < 2}'
@frozen(eq=True)
def name(given: 'str'='<file>') -> 'str':
    """Say it."""
    LOG.debug('it', 3)
'''


def changed(monkeypatch, folder, text):
    """Return a text after each change that is made to it."""
    monkeypatch.setattr(mutate, 'ROOT', folder)
    (folder / 'module.py').write_text(text)
    source = mutate.Source(pathlib.Path('module.py'))
    return {change.apply(text.encode()).decode() for change in source.changes()}


@pytest.mark.parametrize(('text', 'expected'), [
    ('a < b', {'a <= b'}),
    ('(a) is not (\n b)', {'(a) is (\n b)'}),
    ('a and b and c', {'a or b and c', 'a and b or c'}),
    ('a ** b - c', {'a * b - c', 'a ** b + c'}),
    ('not (ä)', {' (ä)'}),
    ("x = 'key'  # why", {"x = 'XXkey'  # why"}),
    ('x = True, 2.5, b""', {'x = False, 2.5, b""', 'x = True, 3.5, b""', "x = True, 2.5, b'XX'"}),
    ('if a:\n  b()', {'if not (a):\n  b()', 'if a:\n  pass'}),
    ('[a for a in b if a]', {'[a for a in b if not (a)]'}),
    ('def f():\n  return a', {'def f():\n  return None'}),
    ('while a == b:\n  continue', {'while a != b:\n  continue', 'while a == b:\n  break'}),
    (IDLE, set())])
def test_what_is_changed(monkeypatch, tmp_path, text, expected):
    assert changed(monkeypatch, tmp_path, text) == expected


def test_a_project(tmp_path):
    room, tests = tmp_path / 'osc_imgurl/room', tmp_path / 'tests/unit/room'
    for folder in (room, tests, tmp_path / 'tools'):
        folder.mkdir(parents=True)
    for folder in (room, room.parent):
        (folder / '__init__.py').touch()
    shutil.copy(TOOL, tmp_path / 'tools')
    source = 'def larger(a, b=0):\n    return a > b\n'
    (room / 'sizes.py').write_text(source)
    (tests / 'test_sizes.py').write_text(
        'from osc_imgurl.room.sizes import larger\n\n'
        'def test_larger():\n    assert larger(3, 2) and not larger(2, 3)\n')
    (tmp_path / 'tests/test_more.py').write_text(
        'from osc_imgurl.room.sizes import larger\n\n'
        'def test_alike():\n    assert not larger(2, 2)\n')
    done = subprocess.run(
        [sys.executable, tmp_path / 'tools/mutate.py', 'room', '--jobs', '1',
         '--also', 'tests/test_more.py'], capture_output=True, text=True, check=False,
        cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, '')
    *survivors, _, row = done.stdout.splitlines()
    assert survivors == ['osc_imgurl/room/sizes.py:1: def larger(a, b=0): -> def larger(a, b=1):']
    assert row.split() == ['room', '3', '2', '67']
    assert (room / 'sizes.py').read_text() == source
