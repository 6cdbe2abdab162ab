"""What ``-f shell`` prints is what a shell then has."""

import argparse
import io
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from osc_lib.cli import format_columns

from osc_imgurl.osc.base import ShellFormatter

# What means something to a shell, and whatever else a variable can hold.
texts = st.text(st.sampled_from('$`\\"\'!()\n\r\t ;&|<>*?~#=-{}[]\x1b%') | st.characters(
    codec='utf-8', exclude_characters='\0'))


def printed(data, variables=(), prefix=''):
    stdout = io.StringIO(newline='')
    names = [f'v{number}' for number in range(len(data))]
    ShellFormatter().emit_one(names, data, stdout, argparse.Namespace(
        variables=variables, prefix=prefix))
    return stdout.getvalue()


def evaluated(shell, folder, script, names):
    """Return what the variables hold after a script was evaluated in an empty folder."""
    values = ' '.join(f'"${name}"' for name in names)
    done = subprocess.run(
        [shell, '-euc', f'eval "$(cat)"; printf "%s\\0" {values}'], input=script.encode(),
        capture_output=True, check=False, cwd=folder)
    assert (done.stderr, done.returncode) == (b'', 0)
    assert list(folder.iterdir()) == []
    return done.stdout.decode().split('\0')[:-1]


@pytest.mark.parametrize('shell', ['dash', 'bash'])
@settings(max_examples=25, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(texts, min_size=20, max_size=100))
def test_any_text(tmp_path, shell, data):
    names = [f'v{number}' for number in range(len(data))]
    assert evaluated(shell, tmp_path, printed(data), names) == data


@pytest.mark.parametrize('shell', ['dash', 'bash'])
def test_what_would_run(tmp_path, shell):
    data = ['$(touch x)', '`touch x`', '";touch x;"', "';touch x;'", '\\";touch x', '\ntouch x\n',
            '$((1))${HOME}', '-n', '', '~', '*']
    names = [f'v{number}' for number in range(len(data))]
    assert evaluated(shell, tmp_path, printed(data), names) == data


def test_what_is_no_text(tmp_path):
    data = [None, True, 3, format_columns.ListColumn(['a', "b'"])]
    names = ['v0', 'v1', 'v2', 'v3']
    # As cliff's own formatter has it.
    assert evaluated('dash', tmp_path, printed(data), names) == [
        'None', 'True', '3', '[\'a\', "b\'"]']


def test_what_a_shell_cannot_hold(tmp_path):
    assert evaluated('dash', tmp_path, printed(['a\0b\ud800']), ['v0']) == [r'a\x00b\ud800']


def test_options_of_the_formatter():
    assert printed(['a', 'b', 'c'], ['v0', 'v2'], 'my_') == 'my_v0=a\nmy_v2=c\n'


def test_names_of_variables():
    stdout = io.StringIO()
    ShellFormatter().emit_one(['Image Name', 'os:a-b'], ['x', 'y'], stdout, argparse.Namespace(
        variables=[], prefix=''))
    assert stdout.getvalue() == 'image_name=x\nos_a_b=y\n'
