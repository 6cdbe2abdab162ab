# SPDX-License-Identifier: Apache-2.0
"""openstack image temp url key ..."""

from __future__ import annotations

import argparse
import contextlib
import logging
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from osc_imgurl.osc import base, lib

LOG = logging.getLogger(__name__)


def _add_owner_options(parser: argparse.ArgumentParser) -> None:
    # The container is named in full here; nothing is sharded.
    parser.add_argument(
        '--container', metavar='<container>', dest='key_container',
        help='The keys of this container instead of the account\'s')
    lib.common.add_setting_options(parser, ('account', 'account_prefix'))


def _add_slot_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--slot', metavar='{1,2}', type=int, choices=(1, 2), default=1,
        help='Slot of the account or container (default: 1)')


def _add_source_options(parser: argparse.ArgumentParser, default: str = '') -> None:
    # Not the setting of the same name: this key does not sign.
    parser.add_argument(
        '--key-file', metavar='<path>', dest='new_key_file',
        help='File with the key; - reads it from standard input. With --generate: file to make,'
             ' mode 0600, with the new key in it, to be handed over')
    parser.add_argument(
        '--generate', action='store_true', help=f'Make a new key of 32 random bytes{default}')


def _add_longest_option(parser: argparse.ArgumentParser, help: str) -> None:
    def duration(text: str) -> int:
        try:
            return lib.options.parse_duration(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    parser.add_argument(
        '--longest', metavar='<duration>', type=duration,
        help=f'Longest duration of your URLs, such as 20m, 1h30m or 7d: {help}')


def _prepare(app: Any, parsed_args: argparse.Namespace,
             ) -> tuple[lib.client.Client, lib.key_slots.Owner]:

    # Nothing is signed here, and the file may not exist yet.
    client = lib.common.client(app, parsed_args, authenticated=True, ignored=('key', 'key_file'))
    account = lib.resolve.own_account(client.settings, client.swift)
    return client, lib.key_slots.Owner(account, parsed_args.key_container)


def _new_key(parsed_args: argparse.Namespace,
             ) -> tuple[lib.signing.Key, AbstractContextManager[None]]:
    """Return the key to set, and a context with its new file, if any."""
    path = (None if parsed_args.new_key_file is None
            else lib.values.at_home(parsed_args.new_key_file))
    if path is not None and not parsed_args.generate:
        return lib.sources.read_secret(lib.table.BY_NAME['key'], path), contextlib.nullcontext()
    if path == '-':
        raise lib.errors.InvalidParameterValue(
            'A new key is never printed: name a file for it (--key-file).')
    key = lib.key_slots.generate()
    return key, (contextlib.nullcontext() if path is None
                 else lib.secret_file.created(path, key.value))


def _carry_out(client: lib.client.Client, change: lib.key_slots.Change, slot: lib.answers.KeySlot,
               longest: int | None, new_file: AbstractContextManager[None] | None = None,
               ) -> dict[str, Any]:
    """Change the keys, and return the row of a slot."""
    finish_at = None if longest is None else change.finish_at(longest)
    with new_file or contextlib.nullcontext():
        lib.key_slots.make(change, client.swift)
    owner = change.owner
    return {
        'slot': str(slot), 'fingerprint': change.after[slot].fingerprint,
        'account': owner.account, 'container': owner.container,
        'finish_at': None if finish_at is None else lib.options.format_expires(finish_at)}


def _living(client: lib.client.Client, owner: lib.key_slots.Owner) -> Iterator[str]:
    """Yield the key's fingerprint of each working link; only an account's keys sign links."""
    if owner.container is None:
        for link in lib.link_container.living(client.settings, client.swift, time.time()):
            yield link.key_fingerprint


def _warn_of_no_images(client: lib.client.Client, owner: lib.key_slots.Owner) -> None:
    """Warn if an account's keys sign no image's URL."""
    if owner.container is not None:
        return
    settings = client.settings
    with contextlib.suppress(lib.errors.ImgurlError):
        if lib.resolve.keeps_images(owner.account, settings, client.glance, client.swift) is False:
            LOG.warning(
                'Glance keeps no image in %s, as far as these credentials see: it has no container'
                ' %s, and none whose name begins with %s_. Its keys sign no URL of an image. If'
                ' Glance keeps all images in an account of its own, use the credentials of the'
                ' project that owns that', owner, settings.container, settings.container)


class ListImageTempURLKey(base.Lister):
    _description = 'List the slots for the keys of an account or a container'
    _epilog: Any = 'Example:\nopenstack image temp url key list --container glance'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        _add_owner_options(parser)

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Any, Any]:
        client, owner = _prepare(self.app, parsed_args)
        owners = [owner] if owner.container is None else [
            lib.key_slots.Owner(owner.account), owner]
        rows = []
        for each in owners:
            keys = lib.key_slots.find(each, client.swift).keys
            rows += [(str(slot), slot in keys, keys[slot].fingerprint if slot in keys else None)
                     for slot in each.slots]
        return ('slot', 'set', 'fingerprint'), rows


class SetImageTempURLKey(base.ShowOne):
    _description = 'Set a temporary URL key of an account or a container'
    _epilog: Any = 'Example:\nopenstack image temp url key set --generate'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        _add_source_options(parser)
        _add_slot_option(parser)
        _add_longest_option(
            parser, 'it shows when rotate --finish is possible, if another slot has a key')
        parser.add_argument(
            '--force', action='store_true',
            help='Overwrite a key in use: end its URLs')
        _add_owner_options(parser)

    def row(self, parsed_args: argparse.Namespace) -> dict[str, Any]:
        if not parsed_args.generate and parsed_args.new_key_file is None:
            raise lib.errors.MissingParameterValue(
                'Say which key to set: one from a file (--key-file), or a new one (--generate).')
        client, owner = _prepare(self.app, parsed_args)
        key, new_file = _new_key(parsed_args)
        slot = owner.slots[parsed_args.slot - 1]
        change = lib.key_slots.set_key(
            lib.key_slots.find(owner, client.swift), slot, key, parsed_args.force)
        row = _carry_out(client, change, slot, parsed_args.longest, new_file)
        _warn_of_no_images(client, owner)
        return row


class UnsetImageTempURLKey(base.Command):
    _description = (
        'Remove a temporary URL key of an account or a container. That ends its URLs, and needs'
        ' --force, unless the other slot has the same key')
    _epilog: Any = 'Example:\nopenstack image temp url key unset --slot 2 --force'

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        _add_slot_option(parser)
        parser.add_argument(
            '--force', action='store_true', help='End the URLs of the key')
        _add_owner_options(parser)

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        client, owner = _prepare(self.app, parsed_args)
        lib.key_slots.make(lib.key_slots.unset_key(
            lib.key_slots.find(owner, client.swift), owner.slots[parsed_args.slot - 1],
            parsed_args.force, _living(client, owner)), client.swift)


class RotateImageTempURLKey(base.ShowOne):
    _description = (
        'Rotate the temporary URL key of an account or a container: set a new one, and keep the'
        ' one in use until --finish')
    _epilog: Any = (
        'Example:\nopenstack image temp url key rotate --longest 7d\n\n'
        'and at finish_at, which it prints:\n'
        'openstack image temp url key rotate --finish --longest 7d')

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        _add_source_options(parser, ' (default)')
        parser.add_argument(
            '--finish', action='store_true',
            help='Remove the old key. It needs --longest, and is refused until that long after the'
                 ' rotation')
        _add_longest_option(parser, 'it shows when --finish is possible; --finish needs it')
        parser.add_argument(
            '--force', action='store_true',
            help='Rotate again before --finish, or finish early: end the URLs of the old key')
        _add_owner_options(parser)

    def row(self, parsed_args: argparse.Namespace) -> dict[str, Any]:
        if parsed_args.finish and (
                parsed_args.generate or parsed_args.new_key_file is not None):
            raise lib.errors.InvalidParameterValue(
                'The end of a rotation needs no key: use --finish without --key-file and'
                ' --generate.')
        client, owner = _prepare(self.app, parsed_args)
        first, second = owner.slots
        if parsed_args.finish:
            change = lib.key_slots.finish(
                lib.key_slots.find(owner, client.swift), parsed_args.longest, parsed_args.force,
                _living(client, owner))
            return _carry_out(client, change, first, None)
        key, new_file = _new_key(parsed_args)
        change = lib.key_slots.rotate(
            lib.key_slots.find(owner, client.swift), key, parsed_args.force)
        row = _carry_out(client, change, second, parsed_args.longest, new_file)
        _warn_of_no_images(client, owner)
        return row
