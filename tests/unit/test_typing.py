"""The types that the library promises, as a user's type checker sees them."""

import os
import pathlib
import subprocess
import sys

import pytest

import osc_imgurl

USER = """\
import osc_imgurl
from osc_imgurl import Client, Settings, URLOptions

reveal_type(osc_imgurl.Client)
Settings(duraton=3)
Client('a session').create('cirros', URLOptions(duration='2h'))
"""


@pytest.fixture(scope='module')
def said(tmp_path_factory):
    """What mypy says of each line of a user's file, by the line's number."""
    folder = tmp_path_factory.mktemp('user')
    (folder / 'user.py').write_text(
        USER + ''.join(f'reveal_type(osc_imgurl.{name})\n' for name in osc_imgurl.__all__))
    done = subprocess.run(
        [sys.executable, '-m', 'mypy', '--strict', '--config-file', '',
         '--ignore-missing-imports', '--follow-imports', 'silent', '--cache-dir',
         folder / 'mypy', 'user.py'],
        capture_output=True, text=True, check=False, cwd=folder,
        # mypy does not follow the finder of an editable installation.
        env={**os.environ, 'MYPYPATH': str(pathlib.Path(osc_imgurl.__file__).parents[1])})
    lines = [line.split(':', 2) for line in done.stdout.splitlines() if line.startswith('user.py')]
    return {int(number): text for _, number, text in lines}


def test_a_name_of_the_package_has_its_type(said):
    assert 'osc_imgurl.client.Client' in said[4]
    first = len(USER.splitlines()) + 1
    for number, name in enumerate(osc_imgurl.__all__, first):
        assert 'Revealed type is' in said[number] and 'Any"' not in said[number], name


def test_a_wrong_argument_is_an_error(said):
    assert 'Unexpected keyword argument "duraton" for "Settings"' in said[5]
    assert 'Argument 1 to "Client" has incompatible type "str"; expected "Session"' in said[6]
