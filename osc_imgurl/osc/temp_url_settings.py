# SPDX-License-Identifier: Apache-2.0
"""openstack image temp url settings list"""

from __future__ import annotations

import argparse
from typing import Any

from osc_imgurl.osc import base


class ListImageTempURLSettings(base.Lister):
    _description = (
        'List the settings for temporary URLs, their values, and where each came from; what is'
        ' not given is looked up, and nothing is signed')
    _epilog: Any = 'Example:\nopenstack image temp url settings list --config-file ironic.conf'

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        from osc_imgurl.osc import common
        from osc_imgurl.settings.table import BY_NAME

        parser = super().get_parser(prog_name)
        common.add_setting_options(parser, BY_NAME.keys())
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Any, Any]:
        from osc_imgurl.osc import common
        from osc_imgurl.osc.wording import typed
        from osc_imgurl.target.report import settings_in_effect

        client = common.client(self.app, parsed_args)
        rows = settings_in_effect(client.settings, client.cloud.object_store, typed)
        return ('setting', 'value', 'source'), [
            (row.name, row.value, row.source) for row in rows]
