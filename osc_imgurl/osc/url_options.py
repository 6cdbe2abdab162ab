# SPDX-License-Identifier: Apache-2.0
"""The options of a temporary URL that is to be made: what it allows, and for how long."""

from __future__ import annotations

import argparse

from osc_imgurl.osc import common
from osc_imgurl.settings.table import BY_NAME
from osc_imgurl.tempurl.options import URLOptions, parse_moment


def add(parser: argparse.ArgumentParser) -> None:
    """Add what shapes any URL, for one image or for many; the settings' options too."""
    parser.add_argument(
        '--method', metavar='{GET,HEAD,PUT,POST,DELETE}', default='GET',
        help='What the URL allows; a URL for GET, PUT or POST allows HEAD too (default: GET)')
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
        '--iso8601', action='store_true',
        help='Write the expiry in the URL as ISO 8601 instead of as a Unix time')
    parser.add_argument(
        '--filename', metavar='<name>',
        help='Name under which a browser saves the download; auto: <image name>.<disk format>')
    parser.add_argument(
        '--inline', action='store_true',
        help='Have a browser show the object instead of saving it')
    parser.add_argument(
        '--refresh', action='store_true',
        help='Choose a new expiry where the cache knows of a URL, and keep that one')
    common.add_setting_options(parser, BY_NAME.keys() - {'duration'})


def add_for_one_image(parser: argparse.ArgumentParser) -> None:
    """Add an image, and what shapes the URL of one image only."""
    parser.add_argument('image', metavar='<image>', help=f'Image ({common.NAMING})')
    parser.add_argument(
        '--object-prefix', metavar='<prefix>',
        help='Sign for every object of the container whose name begins so, as the image\'s must')
    common.add_object_option(parser)


def read(parsed_args: argparse.Namespace) -> URLOptions:
    """Return what these options allow a URL."""
    return URLOptions(
        method=parsed_args.method,
        expires=(parse_moment(parsed_args.expires_at)
                 if parsed_args.expires_at is not None else None),
        object=getattr(parsed_args, 'object_name', None), ip_range=parsed_args.ip_range,
        prefix=getattr(parsed_args, 'object_prefix', None), filename=parsed_args.filename,
        inline=parsed_args.inline, iso8601=parsed_args.iso8601)
