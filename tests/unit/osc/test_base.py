"""What every command does before it begins."""

import argparse
import io
import logging
import types

from osc_imgurl.osc import base

APP = types.SimpleNamespace(stdout=io.StringIO())


def test_a_command_hides_signatures_in_urllib3s_log(monkeypatch, caplog):
    monkeypatch.setattr(logging.getLogger('urllib3.connectionpool'), 'filters', [])

    class Command(base.Command):
        def take_action(self, parsed_args):
            logging.getLogger('urllib3.connectionpool').warning('/x?temp_url_sig=5ec4e7')

    assert Command(APP, None).run(argparse.Namespace()) == 0
    assert caplog.messages == ['/x?temp_url_sig=***']
