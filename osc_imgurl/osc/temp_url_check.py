# SPDX-License-Identifier: Apache-2.0
"""openstack image temp url check"""

from __future__ import annotations

import argparse
import dataclasses
import os.path
import shlex
from typing import Any

from osc_imgurl.osc import base


class CheckImageTempURL(base.Lister):
    _description = (
        'Say why a temporary URL does not work: check it, or a new one for an image, in the'
        ' order in which Swift does. The first check that fails is the cause; the exit status is'
        ' 0 only if none does. A URL is requested as it stands, if the catalog or'
        ' --endpoint-url names its host; a new one is tried at Swift itself. The row "request"'
        ' names who was asked')
    _epilog: Any = 'Example:\nopenstack image temp url check - < url'
    _works = False

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        from osc_imgurl.osc import common
        from osc_imgurl.settings.table import BY_NAME

        parser = super().get_parser(prog_name)
        parser.add_argument(
            'image_or_url', metavar='<image or url>',
            help=f'Image ({common.NAMING}) or temporary URL; - reads it from'
                 ' standard input, which keeps it out of the list of processes')
        parser.add_argument(
            '--method', metavar='{GET,HEAD,PUT,POST,DELETE}', default='GET',
            help='What the URL is to be used for (default: GET)')
        common.add_object_option(parser)
        common.add_setting_option(parser, dataclasses.replace(
            BY_NAME['copy'], help='Check the copy of the image in your own account, if there is one'
                                  '; none is made'))
        common.add_setting_options(parser, BY_NAME.keys() - {
            'cache_enabled', 'align', 'check', 'expected_download_start_delay',
            'copy', 'copy_unverified', 'revocable'})
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Any, Any]:
        from osc_imgurl.errors import ImageNotFound, advice
        from osc_imgurl.osc import common
        from osc_imgurl.osc.wording import typed
        from osc_imgurl.tempurl.url import names_url

        subject = common.argument(parsed_args.image_or_url)
        is_url = names_url(subject)
        client = common.client(self.app, parsed_args, authenticated=not is_url)
        report = client.check(
            subject, method=parsed_args.method, object_name=parsed_args.object_name)
        self._works = report.first_failure is None
        rows = [[each.check, each.result, each.detail, advice(each.remedy, each.names, typed)]
                for each in report.findings]
        # Path.is_file() raises an error for a name that is too long.
        if (isinstance(report.findings[0].error, ImageNotFound)
                and os.path.isfile(subject)):  # noqa: PTH113
            rows[0][-1] = f'If the URL is in the file of that name: use - < {shlex.quote(subject)}'
        return ('check', 'result', 'detail', 'remedy'), rows

    def run(self, parsed_args: argparse.Namespace) -> int:
        code = super().run(parsed_args)
        return code if self._works else 1
