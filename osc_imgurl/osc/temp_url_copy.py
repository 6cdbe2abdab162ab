# SPDX-License-Identifier: Apache-2.0
"""openstack image temp url copy ..."""

from __future__ import annotations

import argparse
from typing import Any

from osc_imgurl.osc import base, lib


class ListImageTempURLCopy(base.Lister):
    _description = (
        'List the copies of images in your own account. image temp url create --copy makes them,'
        ' and Swift deletes each at its delete_at')
    _epilog: Any = 'Example:\nopenstack image temp url copy list -c image_id -c size -c delete_at'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        lib.common.add_setting_options(parser, ())

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Any, Any]:
        copies = lib.common.client(self.app, parsed_args, authenticated=True).copies
        columns = ('image_id', 'image_name', 'size', 'hash', 'delete_at', 'container')
        return columns, (
            (copy.image_id, copy.image_name, copy.size, copy.hash,
             None if copy.delete_at is None else lib.options.format_expires(copy.delete_at),
             copy.container)
            for copy in copies.copies())


class DeleteImageTempURLCopy(base.Command):
    _description = (
        'Delete copies of images from your own account, and the data of interrupted copies. Their'
        ' URLs stop working, and copies in progress end')
    _epilog: Any = 'Example:\nopenstack image temp url copy delete cirros'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            'images', metavar='<image>', nargs='*',
            help='Images whose copies to delete: name or ID, as copy list shows them, or'
                 ' glance://<host>/<ID>. Glance may have deleted the image')
        parser.add_argument('--all', action='store_true', help='Delete all copies')
        lib.common.add_setting_options(parser, ())

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        if bool(parsed_args.images) == parsed_args.all:
            raise lib.errors.MissingParameterValue('Say what to delete: either images or --all.')
        client = lib.common.client(self.app, parsed_args, authenticated=True)
        if parsed_args.all:
            return base.report(client.copies.clear())
        wanted, errors = set(), []
        for image in parsed_args.images:
            try:
                wanted.add(client.copies.image_id(image, client.glance.find))
            except lib.errors.ImgurlError as error:
                errors.append(error)
        return base.report([*errors, *client.copies.delete_all(sorted(wanted))])
