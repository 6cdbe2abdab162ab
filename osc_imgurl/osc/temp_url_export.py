# SPDX-License-Identifier: Apache-2.0
"""openstack image temp url export"""

from __future__ import annotations

import argparse
import pathlib
from typing import Any

from osc_imgurl.osc import base, lib


class ExportImageTempURL(base.Command):
    _description = (
        'Print temporary URLs and metadata of images in the format of another tool. The output'
        ' holds secrets: the URLs')
    _epilog: Any = (
        'Example:\n'
        'openstack image temp url export cirros --for curl > get-cirros.sh &&\n'
        'sh get-cirros.sh')

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            'images', metavar='<image>', nargs='+', help=f'Images ({lib.common.NAMING})')
        parser.add_argument(
            '--for', choices=lib.export.CONSUMERS, required=True, dest='consumer',
            help='The tool')
        parser.add_argument(
            '--directory', metavar='<path>',
            help='Write one file per image into this directory, for you alone (mode 0600), and'
                 ' print its path. A missing directory is created, and no file is replaced')
        parser.add_argument(
            '--node', metavar='<node>', nargs='+', action='extend', default=[], dest='nodes',
            help='Print commands to set the image of these nodes, by name or ID (for ironic). With'
                 ' --revocable each node has its own URL, to extend or revoke')
        parser.add_argument(
            '--kernel-parameters', metavar='<text>',
            help='Command line of the kernel (for ipxe)')
        lib.common.add_one_image_options(parser)
        lib.common.add_url_options(parser)
        lib.common.add_longest_option(parser)

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        directory = (pathlib.Path(lib.values.at_home(parsed_args.directory))
                     if parsed_args.directory is not None else None)
        exported = lib.common.client(self.app, parsed_args, authenticated=True).export(
            parsed_args.images, parsed_args.consumer, lib.common.read_url_options(parsed_args),
            kernel_parameters=parsed_args.kernel_parameters, nodes=parsed_args.nodes,
            directory=directory, link=lib.common.read_link_options(parsed_args),
            refresh=parsed_args.refresh)
        code = 0
        for each in exported:
            if isinstance(each, lib.batch.Failure):
                lib.output.log(each)
                code = 1
            else:
                self.app.stdout.write(f'{each}\n' if directory else str(each))
        return code
