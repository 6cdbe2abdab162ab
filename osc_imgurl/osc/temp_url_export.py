# SPDX-License-Identifier: Apache-2.0
"""openstack image temp url export"""

from __future__ import annotations

import argparse
from typing import Any

from osc_imgurl.osc import base, lib


class ExportImageTempURL(base.Command):
    _description = (
        'Print what another tool needs to take an image: a temporary URL, and in that tool\'s own'
        ' words whatever else it wants. The output holds secrets: the URLs')
    _epilog: Any = (
        'Example:\n'
        'openstack image temp url export cirros --for curl > get-cirros.sh &&\n'
        'sh get-cirros.sh')

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--for', choices=lib.export.CONSUMERS, required=True, dest='consumer',
            help='Who takes the image')
        parser.add_argument(
            '--kernel-parameters', metavar='<text>',
            help='What the kernel gets on its command line (for ipxe)')
        lib.common.add_image_option(parser)
        lib.common.add_url_options(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        client = lib.common.client(self.app, parsed_args, authenticated=True)
        self.app.stdout.write(client.export(
            parsed_args.image, parsed_args.consumer, lib.common.read_url_options(parsed_args),
            kernel_parameters=parsed_args.kernel_parameters, refresh=parsed_args.refresh))
