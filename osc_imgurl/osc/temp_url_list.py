# SPDX-License-Identifier: Apache-2.0
"""openstack image temp url list"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
from collections.abc import Iterable, Iterator
from typing import Any

from osc_imgurl.osc import base, lib


class ListImageTempURL(base.Lister):
    _description = (
        'List temporary URLs: for named images, or for all images matching the filters')
    _output: lib.output.Output
    _epilog: Any = (
        'Example:\nopenstack image temp url list --public --status active --duration 1d -f csv')

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            'images', metavar='<image>', nargs='*',
            help=f'Images ({lib.common.NAMING}); without any: all images matching the filters')
        parser.add_argument(
            '--from-file', metavar='<path>',
            help='Read more images from a file, one a line; - reads standard input. Empty lines'
                 ' and lines beginning with # are left out')
        parser.add_argument(
            '--with-boot-images', action='store_true',
            help='Add the kernel and ramdisk images from an image\'s properties kernel_id and'
                 ' ramdisk_id, if its owner may see them. The columns role and parent name them')
        _add_filters(parser)
        parser.add_argument(
            '--fail-fast', action='store_true',
            help='Stop at the first image without a URL')
        parser.add_argument(
            '--with-errors', action='store_true',
            help='List images without a URL too, with the reason in the column error')
        parser.add_argument(
            '--jobs', metavar='<n>', type=int, default=lib.batch.COPIES_AT_ONCE,
            help=f'How many images --copy copies at once (default: {lib.batch.COPIES_AT_ONCE})')
        parser.add_argument('--long', action='store_true', help='List all columns')
        lib.common.add_url_options(parser)

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Any, Any]:
        options = lib.common.read_url_options(parsed_args)
        lib.options.validate_for_many(options)
        progress = lib.output.Progress(self.app)
        client = lib.common.client(
            self.app, parsed_args, authenticated=True, progress=progress)
        named = parsed_args.images or parsed_args.from_file is not None
        found = (_named(parsed_args, client) if named
                 else _matching(parsed_args, client, self.app.client_manager))
        if parsed_args.with_boot_images:
            found = lib.batch.with_boot_images(found, client.glance)
        made = client.create_many(
            found, options, refresh=parsed_args.refresh, jobs=parsed_args.jobs)
        columns = ['image_id', 'image_name', 'expires_at', 'url']
        if parsed_args.with_boot_images:
            columns[2:2] = ['role', 'parent']
        if parsed_args.long:
            columns += ['method', 'digest', 'endpoint', 'account', 'container', 'object',
                        'copied', 'link', 'cached', 'owner', 'visibility', 'expires',
                        *lib.common.IMAGE_FACTS]
        elif client.settings.copy:
            columns.append('copied')
        elif client.settings.revocable:
            columns.append('link')
        if parsed_args.with_errors:
            columns.append('error')
        self._output = lib.output.Output(
            self.app.stdout, progress,
            streams=parsed_args.formatter in ('value', 'csv'), fail_fast=parsed_args.fail_fast,
            with_errors=parsed_args.with_errors)
        rows = map(_row, self._output.through(made))
        return columns, ([row.get(column) for column in columns] for row in rows)

    def run(self, parsed_args: argparse.Namespace) -> int:
        try:
            return super().run(parsed_args) or self._output.exit_status
        except BrokenPipeError:
            # The reader has enough. What is still buffered must not fail again at the exit.
            with open(os.devnull, 'w') as nowhere:
                os.dup2(nowhere.fileno(), self.app.stdout.fileno())
            raise


def _add_filters(parser: argparse.ArgumentParser) -> None:
    """Add the filters of ``openstack image list``."""
    from osc_lib.cli import parseractions


    visibility = parser.add_mutually_exclusive_group()
    for name in ('public', 'private', 'community', 'shared', 'all'):
        visibility.add_argument(
            f'--{name}', action='store_const', const=name, dest='visibility',
            help=f'List only {name} images' if name != 'all' else 'List all images')
    parser.add_argument(
        '--property', metavar='<key=value>', action=parseractions.KeyValueAction,
        dest='properties', help='Filter images based on a property (repeat option to filter'
                                ' on multiple properties)')
    parser.add_argument('--name', metavar='<name>', help='Filter images based on name')
    parser.add_argument('--status', metavar='<status>', help='Filter images based on status')
    parser.add_argument(
        '--member-status', metavar='<member-status>', type=str.lower,
        choices=('accepted', 'pending', 'rejected', 'all'),
        help='Filter shared images based on member status: accepted (default), pending,'
             ' rejected or all')
    parser.add_argument(
        '--project', metavar='<project>', help='Filter images based on owner (name or ID)')
    parser.add_argument(
        '--project-domain', metavar='<project-domain>',
        help='Domain the project belongs to (name or ID)')
    parser.add_argument('--hidden', action='store_true', help='List hidden images only')
    parser.add_argument(
        '--tag', metavar='<tag>', action='append',
        help='Filter images based on a tag (repeat option to filter on multiple tags)')
    parser.add_argument(
        '--limit', metavar='<limit>', type=int, default=0,
        help='Maximum number of images in a page; one page is listed (0, the default: all pages)')
    parser.add_argument(
        '--max-items', metavar='<max-items>', type=int, default=0,
        help='Maximum number of images to list in total (0, the default: no maximum)')
    parser.add_argument(
        '--marker', metavar='<image>',
        help=f'The last image of the previous page ({lib.common.NAMING})')
    parser.add_argument(
        '--sort', metavar='<key>[:<direction>]', default='name:asc',
        help='Sort images by keys and directions (asc or desc), separated by commas'
             ' (default: name:asc)')


def _row(item: lib.batch.Made | lib.batch.Failure) -> dict[str, Any]:
    """Return what a list shows of an image, by column; without a URL only what is known."""
    if isinstance(item, lib.batch.Failure):
        image_id = lib.image.referenced_id(item.image)
        return {'image_id': image_id,
                'image_name': item.name or (None if image_id else item.image),
                'role': item.role, 'parent': item.parent,
                'error': item.error.message(lib.words.typed)}
    image = item.found.image
    return {**lib.common.row(item.temp_url), 'role': item.found.role, 'parent': item.found.parent,
            'owner': image.owner, 'visibility': image.visibility}


def _filters(parsed_args: argparse.Namespace) -> dict[str, Any]:
    """Return the filters in Glance's words.

    :raises InvalidParameterValue: one is empty. It must not stand for all images.
    """
    for name in ('name', 'status', 'project', 'project_domain', 'tag'):
        value = getattr(parsed_args, name)
        if value is not None and '' in (value, *value):
            raise lib.errors.InvalidParameterValue(
                f'The value of {lib.words.typed(name)} is empty.',
                'Give one, or leave the option out.')
    filters = {
        'visibility': parsed_args.visibility, 'name': parsed_args.name,
        'status': parsed_args.status, 'member_status': parsed_args.member_status,
        'owner': parsed_args.project, 'os_hidden': 'true' if parsed_args.hidden else None,
        'tag': parsed_args.tag, **(parsed_args.properties or {})}
    return {name: value for name, value in filters.items() if value is not None}


def _named(parsed_args: argparse.Namespace, client: lib.client.Client,
           ) -> Iterable[lib.batch.Found | lib.batch.Failure]:
    """Return the images named on the command line or in a file."""
    if (_filters(parsed_args) or parsed_args.limit or parsed_args.max_items
            or parsed_args.marker is not None):
        raise lib.errors.InvalidParameterValue(
            'Name images or give filters, not both: filters choose among all images.')
    return lib.batch.find_images(
        references(parsed_args.images, parsed_args.from_file), client.glance)


def references(images: Iterable[str], path: str | None) -> Iterator[str]:
    """Yield the images named on the command line, then those in a file, one a line.

    A line beginning with ``#`` is a comment.

    :param path: ``-`` is standard input; None: there is no file.
    :raises InvalidParameterValue: the file cannot be read, or no image is named at all.
    """
    empty = True
    for image in itertools.chain(images, _lines(path)):
        empty = False
        yield image
    if empty:
        raise lib.errors.InvalidParameterValue(
            f'{"Standard input" if path == "-" else f"The file {path}"} names no image.')


def _lines(path: str | None) -> Iterator[str]:
    if path is None:
        return
    try:
        with (contextlib.nullcontext(lib.secret_file.standard_input()) if path == '-'
              else open(lib.values.at_home(path), 'rb')) as file:
            for line in (line.decode().strip() for line in file):
                if line and not line.startswith('#'):
                    yield line
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, 'strerror', None) or 'it is not UTF-8'
        raise lib.errors.InvalidParameterValue(
            f'The file {path} cannot be read: {reason}.') from None


def _matching(parsed_args: argparse.Namespace, client: lib.client.Client,
              client_manager: Any) -> Iterable[lib.batch.Found | lib.batch.Failure]:
    """Return all images matching the filters."""
    limits = {'limit': parsed_args.limit, 'max_items': parsed_args.max_items}
    for name, limit in limits.items():
        if limit < 0:
            raise lib.errors.InvalidParameterValue(
                'A negative number of images cannot be listed.', 'Use 0 for no limit.', name)
    filters = _filters(parsed_args)
    if parsed_args.project is not None:
        filters['owner'] = _project_id(
            client_manager.sdk_connection.identity, parsed_args.project,
            parsed_args.project_domain)
    marker = (None if parsed_args.marker is None
              else client.glance.find(parsed_args.marker).id)
    return client.images(
        limit=min(filter(None, limits.values()), default=None), marker=marker,
        sort=parsed_args.sort, **filters)


def _project_id(identity: Any, project: str, domain: str | None) -> str:
    """Return the ID of a project; the text itself if Keystone may not be asked."""
    from openstack import exceptions

    try:
        within = {'domain_id': identity.find_domain(domain, ignore_missing=False).id
                  } if domain is not None else {}
        return str(identity.find_project(project, ignore_missing=False, **within).id)
    except exceptions.ForbiddenException:
        return project
    except (exceptions.NotFoundException, exceptions.DuplicateResource) as error:
        raise lib.errors.InvalidParameterValue(
            f'There is no project {project}, or there are several.', 'Use its ID.') from error
