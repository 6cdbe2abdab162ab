# SPDX-License-Identifier: Apache-2.0
"""openstack image temp url ..."""

from __future__ import annotations

import argparse
import time
from typing import Any

from osc_lib.command import command


class CreateImageTempURL(command.ShowOne):
    _description = (
        'Create a temporary URL for an image: a link that downloads the image from Swift without'
        ' a token, until it expires')
    _epilog: Any = (
        'Example, in a script: '
        'curl -o cirros.img "$(openstack image temp url create cirros -f value -c url)"')

    # cliff's shell formatter has a --prefix too, for the names of variables. Here the word is
    # Swift's, as in `openstack object list --prefix`.
    conflict_handler = 'resolve'

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        from osc_imgurl.osc import common
        from osc_imgurl.settings import BY_NAME

        parser = super().get_parser(prog_name)
        parser.set_defaults(prefix='')
        parser.add_argument(
            'image', metavar='<image>', help='Image (name, ID or glance://<host>/<ID>)')
        parser.add_argument(
            '--method', metavar='{GET,HEAD,PUT,POST,DELETE}', default='GET',
            help='What the URL allows; a URL for GET, PUT or POST allows HEAD too'
                 ' (default: %(default)s)')
        lifetime = parser.add_mutually_exclusive_group()
        common.add_setting_option(lifetime, BY_NAME['duration'])
        lifetime.add_argument(
            '--expires-at', metavar='<time>',
            help='When the URL expires, instead of a duration: ISO 8601, such as'
                 ' 2030-01-31T18:00:00Z (UTC where no offset is given), or a Unix time')
        parser.add_argument(
            '--ip-range', metavar='<range>',
            help='Let only this address or network use the URL, such as 203.0.113.0/24')
        parser.add_argument(
            '--prefix', metavar='<prefix>', dest='object_prefix',
            help='Sign for every object of the container whose name begins so, as the'
                 ' image\'s must')
        parser.add_argument(
            '--iso8601', action='store_true',
            help='Write the expiry in the URL as ISO 8601 instead of as a Unix time')
        parser.add_argument(
            '--filename', metavar='<name>', help='Name under which a browser saves the download')
        parser.add_argument(
            '--inline', action='store_true',
            help='Have a browser show the object instead of saving it')
        common.add_setting_options(parser, BY_NAME.keys() - {'duration'})
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Any, Any]:
        from osc_imgurl import service, signing
        from osc_imgurl.osc import common

        client_manager = self.app.client_manager
        settings = common.load_settings(client_manager, parsed_args)
        request = service.Request(
            method=parsed_args.method,
            expires=(signing.parse_moment(parsed_args.expires_at)
                     if parsed_args.expires_at is not None else None),
            ip_range=parsed_args.ip_range, prefix=parsed_args.object_prefix,
            filename=parsed_args.filename, inline=parsed_args.inline,
            iso8601=parsed_args.iso8601)
        online = common.has_session(client_manager)
        made = service.TempURLService(
            settings,
            common.image_service(client_manager, settings) if online else None,
            common.object_store(client_manager) if online else None,
        ).create(parsed_args.image, request, time.time())
        path = made.temp_url.path
        row = {
            'url': made.temp_url.url,
            'expires_at': signing.format_expires(made.temp_url.expires),
            'method': made.method,
            'digest': made.digest,
            'image_id': made.image_id,
            'image_name': made.image_name,
            'endpoint': made.temp_url.endpoint,
            'account': path.account,
            'container': path.container,
            'object': path.object,
        }
        return tuple(row), tuple(row.values())
