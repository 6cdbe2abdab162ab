# SPDX-License-Identifier: Apache-2.0
"""openstack image location show"""

from __future__ import annotations

import argparse
from typing import Any

from osc_lib.cli import format_columns

from osc_imgurl.osc import base, lib


class ShowImageLocation(base.ShowOne):
    _description = (
        'Display an image\'s locations, and its account, container and object in Swift.'
        ' Credentials in a location are masked. If an untrusted user may have written a location,'
        ' the reason is shown')
    _epilog: Any = 'Example:\nopenstack image location show cirros -c scheme -c container -c object'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            'image', metavar='<image>', help=f'Image ({lib.common.NAMING})')
        lib.common.add_setting_options(parser, (
            'account', 'account_prefix', 'container', 'store', 'multiple_containers_seed'))

    def row(self, parsed_args: argparse.Namespace) -> dict[str, Any]:
        report = lib.common.client(self.app, parsed_args, authenticated=True).location(
            parsed_args.image)
        image = report.image
        return {
            'image_id': image.id,
            'image_name': image.name,
            'status': image.status,
            'stores': format_columns.ListColumn(list(image.stores)),
            'source': report.source,
            'direct_url': image.direct_url.url if image.direct_url else None,
            'locations': format_columns.ListColumn([each.url for each in report.locations]),
            'targets': format_columns.ListColumn(list(report.targets)),
            'trusted': report.trusted.url if report.trusted else None,
            'untrusted': format_columns.ListColumn(list(report.untrusted)),
            'scheme': report.scheme,
            'account': report.account,
            'container': report.container,
            'object': report.object,
            'container_by_rule': report.container_by_rule,
            'container_agrees': report.container_agrees,
            'direct_read_allowed': report.direct_read_allowed,
        }
