# SPDX-License-Identifier: Apache-2.0
"""openstack image temp url ..."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from osc_imgurl.osc import base

if TYPE_CHECKING:
    from osc_imgurl.settings.table import Settings
    from osc_imgurl.tempurl.url import TempURL


class CreateImageTempURL(base.ShowOne):
    _description = (
        'Create a temporary URL for an image: a link that downloads the image from Swift without'
        ' a token, until it expires')
    _epilog: Any = (
        'Example, in a script:\n'
        'url=$(openstack image temp url create cirros -f value -c url) &&\n'
        'printf \'url = "%s"\\n\' "$url" | curl -fo cirros.img -K -')

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        from osc_imgurl.osc import url_options

        parser = super().get_parser(prog_name)
        url_options.add_for_one_image(parser)
        url_options.add(parser)
        parser.add_argument(
            '--note', metavar='<text>',
            help='With --revocable: what you want to remember of this URL, such as who has it')
        parser.add_argument(
            '--longest', metavar='<duration>',
            help='With --revocable: how long the URL may live, however often it is extended; its'
                 ' signature expires then (default: 365d)')
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Any, Any]:
        from osc_imgurl.links.link import LinkOptions
        from osc_imgurl.osc import common, url_options

        given = {name: value for name in ('note', 'longest')
                 if (value := getattr(parsed_args, name)) is not None}
        client = common.client(self.app, parsed_args)
        row = common.row(client.create(
            parsed_args.image, url_options.read(parsed_args), link=LinkOptions(**given),
            refresh=parsed_args.refresh))
        return tuple(row), tuple(row.values())


class ShowImageTempURL(base.ShowOne):
    _description = (
        'Take a temporary URL apart, without the network; with a key, verify its signature too')
    _epilog: Any = 'Example:\nopenstack image temp url show --key-file key - < url'

    # Nobody is asked.
    auth_required = False

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        from osc_imgurl.osc import common

        parser = super().get_parser(prog_name)
        parser.add_argument(
            'url', metavar='<url>',
            help='Temporary URL; - reads it from standard input, which keeps it out of the'
                 ' list of processes')
        common.add_setting_options(parser, ('key_file', 'endpoint_type'))
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Any, Any]:
        from osc_imgurl.copies.copy import image_id_of, is_container
        from osc_imgurl.glance.image import is_uuid
        from osc_imgurl.links import link
        from osc_imgurl.osc import common
        from osc_imgurl.tempurl.options import (
            format_expires,
            format_remaining,
            remaining_seconds,
        )
        from osc_imgurl.tempurl.url import parse

        settings = common.load_settings(self.app.client_manager, parsed_args)
        url = common.argument(parsed_args.url)
        parsed, now = parse(url, settings.endpoint_type), time.time()
        method, signature = _verified(parsed, settings, now)
        name, named = parsed.path.object, link.named(parsed.path)
        copied = image_id_of(name) if is_container(
            parsed.path.container, settings.copy_container) else None
        image_id = named[1] if named else copied or (name if is_uuid(name) else None)
        row = {
            'endpoint': parsed.endpoint,
            'account': parsed.path.account,
            'container': parsed.path.container,
            'object': name,
            'copied': copied is not None,
            'link': named[0] if named else None,
            'image_id': image_id,
            'method': method,
            'expires_at': format_expires(parsed.expires),
            'remaining': format_remaining(parsed.expires, now),
            'expires': parsed.expires,
            'remaining_seconds': remaining_seconds(parsed.expires, now),
            'digest': parsed.digest,
            'ip_range': parsed.ip_range,
            'prefix': parsed.prefix,
            'filename': parsed.filename,
            'inline': parsed.inline,
            'signature': signature,
        }
        return tuple(row), tuple(row.values())


def _verified(parsed: TempURL, settings: Settings, now: float) -> tuple[str | None, str]:
    """Return the signed method, which the URL does not say, and what the signature is of."""
    from osc_imgurl.tempurl.explain import find_signed
    from osc_imgurl.tempurl.signing import verify

    if settings.key is None:
        return None, 'not verified: no key is given (--key-file)'
    key = f'the key {settings.key.fingerprint} ({settings.sources["key"]})'
    verification = verify(parsed, settings.key, now)
    if 'key' in verification.failed:
        found = find_signed(parsed, {'key': settings.key})
        if found and found[1].mistake:
            return found[1].method, f'of {key}, but {found[1].mistake.name}'
        return None, f'not of {key}, or the URL has been altered'
    if 'path' in verification.failed:
        return verification.method, f'of {key}, but for another path: {verification.path}'
    return verification.method, f'of {key}'
