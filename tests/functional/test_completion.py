"""What Bash completes, with the real output of `openstack complete`. No cloud is needed."""

import os
import shutil
import subprocess

import pytest

from .conftest import OPENSTACK

BASH = shutil.which('bash')
# The package bash-completion brings the function that splits the command line; this one is
# enough for words without colons.
COMPLETE = r"""
_get_comp_words_by_ref() { words=("${COMP_WORDS[@]}"); cur=${COMP_WORDS[COMP_CWORD]}; }
source completion
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_openstack
printf '%s\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope='module')
def complete(tmp_path_factory):
    """Return a function that says what comes behind a command line."""
    folder = tmp_path_factory.mktemp('completion')
    with open(folder / 'completion', 'w') as script:
        subprocess.run([OPENSTACK, 'complete'], check=True, stdout=script, cwd=folder,
                       env={'PATH': os.environ['PATH'], 'HOME': str(folder)})

    def run(line):
        done = subprocess.run(
            [BASH, '-c', COMPLETE, 'bash', *line.split(' ')], cwd=folder, text=True,
            capture_output=True, check=True)
        return done.stdout.split()

    return run


@pytest.mark.needs('bash')
def test_commands_and_options(complete):
    assert complete('openstack image temp url ') == [
        'cache', 'check', 'copy', 'create', 'export', 'key', 'link', 'list', 'settings',
        'show']
    assert complete('openstack image temp url c') == ['cache', 'check', 'copy', 'create']
    assert complete('openstack image temp url key r') == ['rotate']
    assert complete('openstack image location ') == ['show']
    assert complete('openstack image temp url create --ip') == ['--ip-range']
