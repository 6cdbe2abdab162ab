"""What other commands pay for the plugin: next to nothing."""

import subprocess
import sys
from importlib.metadata import entry_points

import pytest
from cliff.display import DisplayCommandBase

from osc_imgurl.osc import base, lib

LOADED = """
import sys
from openstackclient import shell
try:
    shell.main(sys.argv[1:])
finally:
    print('imported:', *(name for name in sys.modules if name.startswith('osc_imgurl')))
"""


@pytest.mark.parametrize('command', [['--version'], ['module', 'list'],
                                     ['server', 'list', '--help']])
def test_no_other_command_imports_the_library(command, tmp_path):
    done = subprocess.run(
        [sys.executable, '-c', LOADED, *command], capture_output=True, text=True, check=False,
        cwd=tmp_path, env={'HOME': str(tmp_path)})
    imported = set(done.stdout.rpartition('imported:')[2].split())
    assert imported <= {'osc_imgurl', 'osc_imgurl.osc', 'osc_imgurl.osc.base',
                        'osc_imgurl.osc.lib', 'osc_imgurl.osc.location',
                        'osc_imgurl.osc.temp_url', 'osc_imgurl.osc.temp_url_cache',
                        'osc_imgurl.osc.temp_url_copy', 'osc_imgurl.osc.temp_url_export',
                        'osc_imgurl.osc.temp_url_key', 'osc_imgurl.osc.temp_url_link',
                        'osc_imgurl.osc.temp_url_list'}


def test_every_command_loads():
    ours = [entry for entry in entry_points(group='openstack.extension')
            if entry.value.startswith('osc_imgurl')]
    assert {entry.name.replace('_', ' ') for entry in ours} == {
        'image temp url create', 'image temp url export', 'image temp url list',
        'image temp url show',
        'image temp url key list', 'image temp url key set', 'image temp url key unset',
        'image temp url key rotate', 'image temp url settings list',
        'image temp url copy delete', 'image temp url copy list',
        'image temp url link extend', 'image temp url link list', 'image temp url link revoke',
        'image temp url cache list', 'image temp url check', 'image temp url cache delete',
        'image temp url cache show', 'image location show'}
    for entry in ours:
        command = entry.load()
        assert command._description
        # Else what an untrusted user wrote is printed as it is.
        assert issubclass(command, base.Command)
        assert issubclass(command, DisplayCommandBase) == issubclass(
            command, (base.ShowOne, base.Lister))


def test_examples_stand_in_lines_of_their_own():
    for entry in entry_points(group='openstack.extension'):
        if entry.value.startswith('osc_imgurl'):
            for example in entry.load()._epilog.split('\n\n'):
                introduction, *commands = example.splitlines()
                assert introduction.endswith(':') and commands
                # They are copied from a terminal.
                assert all(len(line) <= 80 for line in commands)


def test_the_public_names():
    import osc_imgurl

    for name in osc_imgurl.__all__:
        assert getattr(osc_imgurl, name).__module__.startswith('osc_imgurl.')
    with pytest.raises(AttributeError):
        osc_imgurl.nothing  # noqa: B018


def test_what_a_command_imports_has_one_home():
    for name, home in lib._HOMES.items():
        assert getattr(lib, name).__name__ == f'osc_imgurl.{home}'
    with pytest.raises(AttributeError):
        lib.nothing  # noqa: B018


def test_nothing_but_the_commands_imports_osc(tmp_path):
    library = ('import importlib, osc_imgurl, pkgutil, sys\n'
               'for module in pkgutil.walk_packages(osc_imgurl.__path__, "osc_imgurl."):\n'
               '    if not module.name.startswith("osc_imgurl.osc"):\n'
               '        importlib.import_module(module.name)\n'
               'print(*sys.modules)')
    done = subprocess.run(
        [sys.executable, '-c', library],
        capture_output=True, text=True, check=True, cwd=tmp_path)
    for package in ('cliff', 'osc_lib', 'openstackclient'):
        assert package not in done.stdout.split()
