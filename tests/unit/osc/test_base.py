"""What every command does before it begins."""

import argparse
import io
import json
import logging
import types

import pytest

from osc_imgurl.osc import base

APP = types.SimpleNamespace(stdout=io.StringIO())


def test_a_command_hides_signatures_in_urllib3s_log(monkeypatch, caplog):
    monkeypatch.setattr(logging.getLogger('urllib3.connectionpool'), 'filters', [])

    class Command(base.Command):
        def take_action(self, parsed_args):
            logging.getLogger('urllib3.connectionpool').warning('/x?temp_url_sig=5ec4e7')

    assert Command(APP, None).run(argparse.Namespace()) == 0
    assert caplog.messages == ['/x?temp_url_sig=***']


@pytest.mark.parametrize(('column', 'rows'), [
    ('name', [['a', 2], ['b', None], ['c', 'x']]), ('value', [['c', 'x'], ['a', 2], ['b', None]])])
def test_rows_that_cannot_be_sorted_are_listed_all_the_same(caplog, column, rows):
    class List(base.Lister):
        def take_action(self, parsed_args):
            return ('name', 'value'), (row for row in [['c', 'x'], ['a', 2], ['b', None]])

    app = types.SimpleNamespace(stdout=io.StringIO())
    command = List(app, None)
    assert command.run(command.get_parser('list').parse_args(
        ['--sort-column', column, '-f', 'json'])) == 0
    assert [list(row.values()) for row in json.loads(app.stdout.getvalue())] == rows
    assert bool(caplog.messages) == (column == 'value')


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
