# SPDX-License-Identifier: Apache-2.0
"""openstack image temp url key ..."""

from __future__ import annotations

import argparse
import logging
import time
from typing import TYPE_CHECKING, Any

from osc_imgurl.osc import base

if TYPE_CHECKING:
    from osc_imgurl.cache.entry import Entry
    from osc_imgurl.settings.table import Settings
    from osc_imgurl.swift.key_slots import Change, Owner
    from osc_imgurl.swift.object_store import ObjectStore

LOG = logging.getLogger(__name__)


def _add_owner_options(parser: argparse.ArgumentParser) -> None:
    from osc_imgurl.osc import common

    # The container is named in full here; nothing is sharded.
    parser.add_argument(
        '--container', metavar='<container>', dest='key_container',
        help='The keys of this container instead of the account\'s')
    common.add_setting_options(parser, ('account', 'account_prefix'))


def _add_slot_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--slot', metavar='{1,2}', type=int, choices=(1, 2), default=1,
        help='Slot of the account or container (default: 1)')


def _add_source_options(parser: argparse.ArgumentParser, *,
                        required: bool) -> argparse._MutuallyExclusiveGroup:
    source = parser.add_mutually_exclusive_group(required=required)
    source.add_argument(
        '--key-file', metavar='<path>', help='File with the key; - reads it from standard input')
    source.add_argument(
        '--generate', action='store_true',
        help='Make a new key of 32 random bytes'
             + ('' if required else ' (default)'))
    return source


def _prepare(client_manager: Any,
             parsed_args: argparse.Namespace) -> tuple[Settings, Owner, ObjectStore]:
    from osc_imgurl.locate import place as placement
    from osc_imgurl.osc import common
    from osc_imgurl.swift.key_slots import Owner

    settings = common.load_settings(client_manager, parsed_args)
    common.require_session(client_manager)
    object_store = common.object_store(client_manager, settings)
    owner = Owner(placement.own_account(settings, object_store), parsed_args.key_container)
    return settings, owner, object_store


def _forget(settings: Settings, change: Change) -> list[Entry]:
    """Drop the cached URLs whose key is gone, and return those whose key is to go."""
    from osc_imgurl.errors import CacheFailed
    from osc_imgurl.osc import common

    cache = common.cache(settings)
    try:
        entries = cache.entries()
        cache.delete(entry.fingerprint for entry in entries
                     if entry.key_fingerprint in change.gone)
    except CacheFailed as error:
        # The keys are changed all the same; a URL of a key that is gone is never asked for.
        LOG.warning('%s', error)
        return []
    return [entry for entry in entries if entry.key_fingerprint == change.outgoing]


class ListImageTempURLKey(base.Lister):
    _description = 'List the slots of an account or a container, and which have a key'
    _epilog: Any = 'Example: openstack image temp url key list --container glance'

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        _add_owner_options(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Any, Any]:
        from osc_imgurl.swift import key_slots

        _, owner, object_store = _prepare(self.app.client_manager, parsed_args)
        owners = [key_slots.Owner(owner.account), owner] if owner.container else [owner]
        rows = []
        for each in owners:
            keys = key_slots.find(each, object_store)
            rows += [(str(slot), slot in keys, keys[slot].fingerprint if slot in keys else None)
                     for slot in each.slots]
        return ('slot', 'set', 'fingerprint'), rows


class SetImageTempURLKey(base.Command):
    _description = 'Set a temporary URL key of an account or a container'
    _epilog: Any = 'Example: openstack image temp url key set --generate'

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        _add_source_options(parser, required=True)
        _add_slot_option(parser)
        parser.add_argument(
            '--force', action='store_true',
            help='Overwrite a key that is in use; the URLs signed with it stop working')
        _add_owner_options(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        from osc_imgurl.swift import key_slots

        settings, owner, object_store = _prepare(self.app.client_manager, parsed_args)
        told = settings.key if parsed_args.key_file else None
        _forget(settings, key_slots.set_key(
            owner, object_store, owner.slots[parsed_args.slot - 1], told or key_slots.generate(),
            parsed_args.force))


class UnsetImageTempURLKey(base.Command):
    _description = (
        'Remove a temporary URL key of an account or a container; the URLs signed with it stop'
        ' working')
    _epilog: Any = 'Example: openstack image temp url key unset --slot 2'

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        _add_slot_option(parser)
        _add_owner_options(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        from osc_imgurl.swift import key_slots

        settings, owner, object_store = _prepare(self.app.client_manager, parsed_args)
        _forget(settings, key_slots.unset_key(
            owner, object_store, owner.slots[parsed_args.slot - 1]))


class RotateImageTempURLKey(base.Lister):
    _description = (
        'Rotate the temporary URL key of an account or a container: set a new one, and keep the'
        ' one in use until --finish. Lists the cached URLs that the key in use has signed')
    _epilog: Any = (
        'Example: openstack image temp url key rotate, and when the URLs that it lists have'
        ' expired: openstack image temp url key rotate --finish')

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        source = _add_source_options(parser, required=False)
        source.add_argument(
            '--finish', action='store_true',
            help='Remove the old key; the URLs signed with it stop working')
        _add_owner_options(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Any, Any]:
        from osc_imgurl.swift import key_slots
        from osc_imgurl.tempurl import url as temp_url

        settings, owner, object_store = _prepare(self.app.client_manager, parsed_args)
        if parsed_args.finish:
            change = key_slots.finish(owner, object_store)
        else:
            told = settings.key if parsed_args.key_file else None
            change = key_slots.rotate(owner, object_store, told or key_slots.generate())
        now = time.time()
        return ('image_id', 'method', 'container', 'expires_at', 'remaining'), [
            (entry.image_id, entry.method, entry.container,
             temp_url.format_expires(entry.expires),
             temp_url.format_remaining(entry.expires, now))
            for entry in _forget(settings, change) if entry.expires >= now]
