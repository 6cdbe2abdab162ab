# SPDX-License-Identifier: Apache-2.0
"""openstack image temp url cache ..."""

from __future__ import annotations

import argparse
import time
from typing import Any

from osc_imgurl.osc import base, lib


class ListImageTempURLCache(base.Lister):
    _description = (
        'List the temporary URLs in the cache. It holds expiries, not the URLs: image temp'
        ' url create --cache, with the options of the first time, prints one again')
    _epilog: Any = 'Example:\nopenstack image temp url cache list -c image_id -c remaining'

    # The cache is this machine's; no cloud is asked.
    auth_required = False

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            '--long', action='store_true',
            help='List the key too, by its fingerprint, as image temp url key list does')
        lib.common.add_setting_options(parser, ())

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Any, Any]:
        now = time.time()
        columns = ['image_id', 'method', 'account', 'container', 'expires_at', 'remaining',
                   'expires', 'remaining_seconds']
        rows = [
            [entry.image_id, entry.method, entry.account, entry.container,
             lib.options.format_expires(entry.expires),
             lib.options.format_remaining(entry.expires, now), entry.expires,
             lib.options.remaining_seconds(entry.expires, now), entry.key_fingerprint]
            for entry in lib.common.cache(self.app, parsed_args).entries()]
        if parsed_args.long:
            columns.append('key_fingerprint')
        return columns, [row[:len(columns)] for row in rows]


class DeleteImageTempURLCache(base.Command):
    _description = 'Remove temporary URLs from the cache; they work until they expire'
    _epilog: Any = 'Example:\nopenstack image temp url cache delete --expired'

    auth_required = False

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            'images', metavar='<image-id>', nargs='*', help='Images whose URLs to delete (ID)')
        which = parser.add_mutually_exclusive_group()
        which.add_argument('--expired', action='store_true', help='Delete the expired URLs')
        which.add_argument('--all', action='store_true', help='Delete all URLs')
        lib.common.add_setting_options(parser, ())

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        images = dict.fromkeys(parsed_args.images)
        if bool(images) == (parsed_args.expired or parsed_args.all):
            raise lib.errors.MissingParameterValue(
                'Say what to delete: the IDs of images, or --expired, or --all.')
        cache = lib.common.cache(self.app, parsed_args)
        info = cache.info()
        if info.entries is None:
            # It cannot list them, and their fingerprints are of more than the image.
            raise lib.errors.CacheFailed(
                f'Only the server of {info.backend} can delete its entries.',
                'It deletes expired ones itself. Delete others with a client of the server, by'
                ' their prefix osc-imgurl.')
        entries = cache.entries()
        now = time.time()
        cache.delete(
            entry.fingerprint for entry in entries
            if parsed_args.all or entry.image_id in images
            or (parsed_args.expired and entry.expires < now))
        known = {entry.image_id for entry in entries}
        return base.report(
            lib.errors.InvalidParameterValue(
                f'The cache has no URL for {image}.', 'Give the ID, as cache list shows it.')
            for image in images if image not in known)


class ShowImageTempURLCache(base.ShowOne):
    _description = 'Display the place and size of the cache'
    _epilog: Any = 'Example:\nopenstack image temp url cache show -f value -c path'

    auth_required = False

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        lib.common.add_setting_options(parser, ())

    def row(self, parsed_args: argparse.Namespace) -> dict[str, Any]:
        info = lib.common.cache(self.app, parsed_args).info()
        return {'path': info.path, 'size': info.size, 'entries': info.entries,
                'backend': info.backend}
