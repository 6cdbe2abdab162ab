"""What every command does before it begins."""

import argparse
import io
import logging
import re
import types
from importlib.metadata import version

import pytest
from osc_lib.cli import format_columns

from osc_imgurl.errors import ImgurlError
from osc_imgurl.osc import base

APP = types.SimpleNamespace(stdout=io.StringIO())


def test_a_command_hides_signatures_in_urllib3s_log(monkeypatch, caplog):
    monkeypatch.setattr(logging.getLogger('urllib3.connectionpool'), 'filters', [])

    class Command(base.Command):
        def take_action(self, parsed_args):
            logging.getLogger('urllib3.connectionpool').warning('/x?temp_url_sig=5ec4e7')

    assert Command(APP, None).run(argparse.Namespace()) == 0
    assert caplog.messages == ['/x?temp_url_sig=***']


def test_an_error_in_the_log_names_options(monkeypatch, caplog):
    monkeypatch.setattr(caplog.handler, 'filters', [])

    class Command(base.Command):
        def take_action(self, parsed_args):
            logging.getLogger('osc_imgurl.x').warning(
                '%s %s', 1, ImgurlError('It is so.', 'Have the image copied.', 'copy'))

    assert Command(APP, None).run(argparse.Namespace()) == 0
    assert caplog.messages == ['1 It is so. Have the image copied (--copy).']


@pytest.mark.parametrize(('options', 'names'), [
    (['name'], 'abcdef'), (['value'], 'fabedc'), (['VALUE', '--sort-descending'], 'cdebaf'),
    (['Second_Value', '--sort-column', 'value'], 'fcabed'), (['nothing'], 'cadfbe')])
@pytest.mark.parametrize('formatter', ['json', 'csv', 'table', 'value'])
def test_what_cannot_be_compared_is_sorted(caplog, options, names, formatter):
    """Numbers, texts, nothing."""
    class List(base.Lister):
        def take_action(self, parsed_args):
            return ('name', 'value', 'second value'), (row for row in [
                ['c', None, 2], ['a', 2, 10], ['d', 'x', None], ['f', False, 1],
                ['b', 10, 10], ['e', format_columns.ListColumn(['a']), 'z']])

    app = types.SimpleNamespace(stdout=io.StringIO())
    command = List(app, None)
    assert command.run(command.get_parser('list').parse_args(
        ['--sort-column', *options, '-f', formatter, '-c', 'name'])) == 0
    assert ''.join(re.findall(r'\b[a-f]\b', app.stdout.getvalue())) == names
    assert caplog.messages == []


def test_the_help_shows_the_version_of_the_plugin():
    class Command(base.Command):
        def take_action(self, parsed_args):
            pass

    text = Command(None, None).get_parser('openstack one').format_help()
    assert text.endswith(f'\nosc-imgurl {version("osc-imgurl")}\n')


def test_an_example_in_the_help_can_be_copied():
    class Command(base.Command):
        _description = 'word ' * 40
        _epilog = 'Example:\nopenstack one ' + 'two ' * 40 + '\nopenstack three'

        def take_action(self, parsed_args):
            pass

    parser = Command(None, None).get_parser('openstack one')
    text = parser.format_help()
    assert parser.epilog in text
    assert max(map(len, text.partition('Example:')[0].splitlines())) < 100
