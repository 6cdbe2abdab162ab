# SPDX-License-Identifier: Apache-2.0
"""openstack image temp url link ..."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from typing import Any

from osc_imgurl.osc import base, lib

NAMED = 'their IDs or URLs; - reads one from standard input'


class ListImageTempURLLink(base.Lister):
    _description = (
        'List the links in your own account: the URLs from image temp url create --revocable')
    _epilog: Any = 'Example:\nopenstack image temp url link list --image cirros'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            '--image', metavar='<image>',
            help=f'List only links to this image ({lib.common.NAMING})')
        parser.add_argument(
            '--expired', action='store_true',
            help='List expired links too, until Swift removes them')
        parser.add_argument('--long', action='store_true', help='List all columns')
        lib.common.add_setting_options(parser, ())

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Any, Any]:
        client = lib.common.client(self.app, parsed_args, authenticated=True)
        now = time.time()
        links = client.links.listed(
            None if parsed_args.image is None else client.image_id(parsed_args.image))
        return _table((link for link in links if parsed_args.expired or link.expires > now),
                      now, parsed_args.long)


class ExtendImageTempURLLink(base.Lister):
    _description = (
        'Let the URLs of links live longer, or end them sooner. The URLs stay as they are. No link'
        ' lives longer than the signature of its URL: one year, or --longest of image temp url'
        ' create')
    _epilog: Any = 'Example:\nopenstack image temp url link extend --duration 7d - < url'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument('links', metavar='<link>', nargs='+', help=f'Links to extend: {NAMED}')
        end = parser.add_mutually_exclusive_group(required=True)
        # Not the setting of the same name, for new URLs.
        end.add_argument(
            '--duration', metavar='<duration>', dest='lifetime',
            help='How long they live from now on, such as 1200 (seconds), 20m, 1h30m, 7d or 2w')
        end.add_argument(
            '--expires-at', metavar='<time>',
            help='When they end, instead of a duration: ISO 8601, such as 2030-01-31T18:00:00Z'
                 ' (UTC where no offset is given), or a Unix time')
        lib.common.add_setting_options(parser, ('endpoint_type',))

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Any, Any]:
        now = time.time()
        expires = (
            lib.options.parse_moment(parsed_args.expires_at) if parsed_args.expires_at is not None
            else int(now) + (lib.options.URLOptions(duration=parsed_args.lifetime).seconds or 0))
        client = lib.common.client(self.app, parsed_args, authenticated=True)
        done = list(client.links.extend(
            map(lib.common.argument, parsed_args.links), expires, now))
        self.exit_status = base.report(
            each for each in done if isinstance(each, lib.errors.ImgurlError))
        return _table((each for each in done if not isinstance(each, lib.errors.ImgurlError)), now)


class RevokeImageTempURLLink(base.Command):
    _description = (
        'Revoke the URLs of links: the next request through them answers 404, and other URLs stay'
        ' as they are. A download in progress finishes')
    _epilog: Any = 'Example:\nopenstack image temp url link revoke - < url'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument('links', metavar='<link>', nargs='*', help=f'Links to revoke: {NAMED}')
        parser.add_argument(
            '--image', metavar='<image>',
            help=f'Revoke all links to this image ({lib.common.NAMING})')
        parser.add_argument('--all', action='store_true', help='Revoke all links')
        lib.common.add_setting_options(parser, ('endpoint_type',))

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        if [bool(parsed_args.links), parsed_args.image is not None, parsed_args.all].count(
                True) != 1:
            raise lib.errors.MissingParameterValue(
                'Say what to revoke: either links, or --image, or --all.')
        client = lib.common.client(self.app, parsed_args, authenticated=True)
        if parsed_args.links:
            return base.report(client.links.revoke(map(lib.common.argument, parsed_args.links)))
        return base.report(client.links.revoke_all(
            None if parsed_args.all else client.image_id(parsed_args.image)))


def _table(links: Iterable[lib.link.Link], now: float, long: bool = False) -> tuple[Any, Any]:

    columns = ['link', 'image_id', 'expires_at', 'remaining', 'note']
    if long:
        columns += ['file_name', 'signed_until', 'key_fingerprint', 'expires', 'remaining_seconds']
    options = lib.options
    return columns, ([
        link.id, link.image_id, options.format_expires(link.expires),
        options.format_remaining(link.expires, now), link.note, link.file_name,
        options.format_expires(link.signed_until), link.key_fingerprint, link.expires,
        options.remaining_seconds(link.expires, now)][:len(columns)] for link in links)
