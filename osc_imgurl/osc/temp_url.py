# SPDX-License-Identifier: Apache-2.0
"""openstack image temp url ..."""

from __future__ import annotations

import argparse
import dataclasses
import os.path
import shlex
import time
from collections.abc import Iterable, Sequence
from typing import Any

from osc_imgurl.osc import base, lib


class CreateImageTempURL(base.ShowOne):
    _description = (
        'Create a temporary URL for an image: a link to download it from Swift without a token,'
        ' until the link expires')
    _epilog: Any = (
        'Example, in a script:\n'
        'url=$(openstack image temp url create cirros -f value -c url) &&\n'
        'printf \'url = "%s"\\n\' "$url" | curl -fo cirros.img -K -')

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument('image', metavar='<image>', help=f'Image ({lib.common.NAMING})')
        lib.common.add_one_image_options(parser)
        lib.common.add_url_options(parser)
        parser.add_argument(
            '--note', metavar='<text>',
            help='With --revocable: a reminder for you, such as the name of the user')
        lib.common.add_longest_option(parser)

    def row(self, parsed_args: argparse.Namespace) -> dict[str, Any]:
        client = lib.common.client(self.app, parsed_args)
        return lib.common.row(client.create(
            parsed_args.image, lib.common.read_url_options(parsed_args),
            link=lib.common.read_link_options(parsed_args), refresh=parsed_args.refresh))

    def produce_output(self, parsed_args: argparse.Namespace, column_names: Sequence[str],
                       data: Iterable[Any]) -> int:
        """Print the URL below the table on a terminal: a table would break it into lines."""
        row = dict(zip(column_names, data, strict=True))
        wanted = parsed_args.columns or list(row)
        if not (parsed_args.formatter == 'table' and 'url' in wanted and self.app.stdout.isatty()):
            return super().produce_output(parsed_args, column_names, row.values())
        parsed_args.columns = [column for column in wanted if column != 'url']
        if parsed_args.columns:
            super().produce_output(parsed_args, column_names, row.values())
        self.app.stdout.write(f'{row["url"]}\n')
        return 0


class ShowImageTempURL(base.ShowOne):
    _description = (
        'Take a temporary URL apart, without the network; with a key, verify its signature too')
    _epilog: Any = 'Example:\nopenstack image temp url show --key-file key - < url'

    # Nobody is asked.
    auth_required = False

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            'url', metavar='<url>',
            help='Temporary URL; - reads it from standard input, to keep it out of the list of'
                 ' processes')
        lib.common.add_setting_options(parser, ('key_file', 'endpoint_type'))

    def row(self, parsed_args: argparse.Namespace) -> dict[str, Any]:
        settings = lib.common.load_settings(self.app.client_manager, parsed_args)
        url = lib.common.argument(parsed_args.url)
        parsed, now = lib.url.parse(url, settings.endpoint_type), time.time()
        method, signature = _verified(parsed, settings, now)
        name, named = parsed.path.object, lib.link.named(parsed.path)
        copied = lib.copy.image_id_of(name) if lib.copy.is_container(
            parsed.path.container, settings.copy_container) else None
        image_id = named[1] if named else copied or (name if lib.image.is_uuid(name) else None)
        return {
            'endpoint': parsed.endpoint,
            'account': parsed.path.account,
            'container': parsed.path.container,
            'object': name,
            'copied': copied is not None,
            'link': named[0] if named else None,
            'image_id': image_id,
            'method': method,
            'expires_at': lib.options.format_expires(parsed.expires),
            'remaining': lib.options.format_remaining(parsed.expires, now),
            'expires': parsed.expires,
            'remaining_seconds': lib.options.remaining_seconds(parsed.expires, now),
            'digest': parsed.digest,
            'ip_range': parsed.ip_range,
            'prefix': parsed.prefix,
            'filename': parsed.filename,
            'inline': parsed.inline,
            'signature': signature,
        }


class CheckImageTempURL(base.Lister):
    _description = (
        'Say why a temporary URL does not work: check it, or a new one for an image, in the'
        ' order in which Swift does. The first check that fails is the cause; the exit status is'
        ' 0 only if none does. A URL is requested as it stands, if the catalog or'
        ' --endpoint-url names its host; a new one is tried at Swift itself. The row "request"'
        ' names who was asked')
    _epilog: Any = 'Example:\nopenstack image temp url check - < url'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            'image_or_url', metavar='<image or url>',
            help=f'Image ({lib.common.NAMING}) or temporary URL; - reads it from'
                 ' standard input, to keep it out of the list of processes')
        parser.add_argument(
            '--method', metavar='{GET,HEAD,PUT,POST,DELETE}', default='GET',
            help='What the URL is to be used for (default: GET)')
        lib.common.add_object_option(parser)
        lib.common.add_setting_option(parser, dataclasses.replace(
            lib.table.BY_NAME['copy'],
            help='Check the copy of the image in your own account, if there is one; none is made'))
        lib.common.add_setting_options(parser, lib.table.BY_NAME.keys() - {
            'cache_enabled', 'align', 'check', 'expected_download_start_delay',
            'copy', 'copy_unverified', 'revocable'})

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Any, Any]:
        subject = lib.common.argument(parsed_args.image_or_url)
        is_url = lib.url.names_url(subject)
        client = lib.common.client(self.app, parsed_args, authenticated=not is_url)
        report = client.check(
            subject, method=parsed_args.method, object_name=parsed_args.object_name)
        self.exit_status = int(report.first_failure is not None)
        rows = [[each.check, each.result, each.detail,
                 lib.errors.advice(each.remedy, each.names, lib.words.typed)]
                for each in report.findings]
        # Path.is_file() raises an error for a name that is too long.
        if (isinstance(report.findings[0].error, lib.errors.ImageNotFound)
                and os.path.isfile(subject)):  # noqa: PTH113
            rows[0][-1] = f'If the URL is in the file of that name: use - < {shlex.quote(subject)}'
        return ('check', 'result', 'detail', 'remedy'), rows


class ListImageTempURLSettings(base.Lister):
    _description = (
        'List the settings for temporary URLs, their values, and where each came from; what is'
        ' not given is looked up, and nothing is signed')
    _epilog: Any = 'Example:\nopenstack image temp url settings list --config-file ironic.conf'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        lib.common.add_setting_options(parser, lib.table.BY_NAME.keys())

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Any, Any]:
        client = lib.common.client(self.app, parsed_args)
        return ('setting', 'value', 'source'), [
            (each.name, each.value, each.source) for each in lib.report.settings_in_effect(
                client.settings, client.cloud.object_store, lib.words.typed)]


def _verified(parsed: lib.url.TempURL, settings: lib.table.Settings,
              now: float) -> tuple[str | None, str]:
    """Return the signed method (it is not in the URL), and a description of the signature."""
    if settings.key is None:
        return None, 'not verified: no key is given (--key-file)'
    key = f'the key {settings.key.fingerprint} ({settings.sources["key"]})'
    verification = lib.signing.verify(parsed, settings.key, now)
    if 'key' in verification.failed:
        found = lib.explain.find_signed(parsed, {'key': settings.key})
        if found and found[1].mistake:
            return found[1].method, f'of {key}, but {found[1].mistake.name}'
        return None, f'not of {key}, or the URL has been altered'
    if 'path' in verification.failed:
        return verification.method, f'of {key}, but for another path: {verification.path}'
    return verification.method, f'of {key}'
