# SPDX-License-Identifier: Apache-2.0
"""What the config files of services give: of an Ironic, a Glance, or both.

oslo.config reads them as one configuration, so that they mean what they mean to the service.
"""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import re
import socket
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.settings import secret_file, values
from osc_imgurl.settings.table import TABLE, Kind, Setting, Source

# A setting, its value, and where it comes from.
Candidate = tuple[Setting, Any, Source]
# What is given in files, by group and option: the number of the last file that has it, and its
# text there.
Given = Mapping[tuple[str | None, str], tuple[int, str]]
# By group and option; None stands for nothing.
Defaults = Mapping[str | None, Mapping[str, str | None]]
# What Glance's stores have in common.
_SHARED = 'backend_defaults'
# The entry points of glance_store's drivers; no other spelling is one.
_S3_DRIVERS = ('s3', 'glance.store.s3.Store')
_DRIVERS = ('swift', 'glance.store.swift.Store', *_S3_DRIVERS)
# They do not end a text in oslo.config, and so would be a part of a name.
_BRACKETS = '{}"\''
# Of all options the only one that is set where it is empty: accounts may have no prefix.
_MAY_BE_EMPTY = 'swift_account_prefix'
# What the services put in the place of an option that is in no file, beside the options that are
# settings. (ironic.conf.glance, glance_store._drivers.swift.store; those of a store have no
# defaults where there are several.)
_OF_IRONIC = {_MAY_BE_EMPTY: 'AUTH', 'num_retries': '0', 'region_name': None}
_OF_GLANCE = {'swift_store_region': None, 'swift_store_endpoint': None,
              'swift_store_endpoint_type': 'publicURL', 'swift_store_service_type': 'object-store'}


@dataclasses.dataclass(frozen=True)
class ConfigFiles:
    """What config files give, each setting with the number of its file.

    :ivar common: for all images.
    :ivar stores: for those in each store; a Glance whose only store has no name has it under ''.
    :ivar default: the store that Glance puts an image into which nobody says a store for.
    :ivar s3: the names of those that are S3 stores; the others are Swift stores.
    """

    common: Sequence[tuple[int, Candidate]] = ()
    stores: Mapping[str, Sequence[tuple[int, Candidate]]] = dataclasses.field(default_factory=dict)
    default: str = ''
    s3: Collection[str] = ()

    def for_all(self) -> list[Candidate]:
        """Return what is given for all images, the last file's first."""
        return _last_first([*self.common, *self.stores.get(self.default, ())])

    def for_store(self, name: str) -> list[Candidate]:
        """Return what is given for the images in a store, the last file's first."""
        return _last_first([*self.stores.get(name, ()), *self.common])


def _last_first(numbered: list[tuple[int, Candidate]]) -> list[Candidate]:
    return [candidate for _, candidate in sorted(numbered, key=lambda each: -each[0])]


def read(paths: Sequence[str]) -> ConfigFiles:
    """Return what config files give together.

    :param paths: of files, or of folders whose ``*.conf`` are read in the order of their names.
    :raises InvalidParameterValue: a file cannot be read, or an option in it; or Glance would not
        accept its stores.
    """
    if not paths:
        return ConfigFiles()
    files = _files_of(paths)
    given = _parse(files)
    ironic = _Configuration(files, given, {
        None: _of_this_machine(given), 'glance': _defaults('ironic') | _OF_IRONIC})
    of_store = _defaults('glance') | _OF_GLANCE
    glance = _Configuration(files, given, {'glance_store': of_store, _SHARED: of_store})
    backends, default = glance.stores()
    s3 = {name for name, driver in backends.items() if driver in _S3_DRIVERS}
    names = [name for name, driver in backends.items() if driver in _DRIVERS]
    for name in filter(None, names):
        glance.register(_group(name), dict.fromkeys(of_store))
    return ConfigFiles(
        [each for setting in TABLE for each in ironic.given(
            setting, ('deploy', setting.deploy), ('glance', setting.ironic))],
        {name: [each for setting in TABLE for each in glance.given(
            setting, *((group, setting.s3 if name in s3 else setting.glance)
                       for group in ((name, _SHARED) if name else ('glance_store',))))]
         for name in names},
        default if default in names else next(iter(names), ''), s3)


def _files_of(paths: Sequence[str]) -> list[str]:
    """Return the files that are named, and those in the folders that are."""
    files: list[str] = []
    for path in map(values.at_home, paths):
        # pathlib takes an empty path for the current folder.
        if path and (folder := pathlib.Path(path)).is_dir():
            files += map(str, sorted(folder.glob('*.conf')))
        else:
            files.append(path)
    return files


def _parse(files: Sequence[str]) -> Given:
    """Return what is in files, as it is written."""
    from oslo_config import cfg

    given: dict[tuple[str | None, str], tuple[int, str]] = {}
    for number, file in enumerate(files):
        groups: dict[str, dict[str, list[str]]] = {}
        try:
            cfg.ConfigParser(file, groups).parse()
        except FileNotFoundError:
            raise InvalidParameterValue(f'The config file {file} does not exist.') from None
        except cfg.ParseError:
            # oslo.config's own message quotes the line, and that may be the key's.
            raise InvalidParameterValue(
                f'The config file {file} has a line that is not "option = value".') from None
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidParameterValue(
                f'The config file {file} cannot be read ({type(error).__name__}).') from None
        for group, options in groups.items():
            given.update({(_group(group), option): (number, texts[-1])
                          for option, texts in options.items()})
    return given


def _group(name: str) -> str | None:
    """Return a group as oslo.config knows it, which takes no notice of capitals."""
    return None if name == 'DEFAULT' else name.lower()


def _defaults(service: str) -> dict[str, str | None]:
    """Return the defaults of a service's options that are settings."""
    return {getattr(setting, service): None if setting.default in (None, ())
            else str(setting.default) for setting in TABLE if getattr(setting, service)}


def _of_this_machine(given: Given) -> dict[str, str | None]:
    """Return Ironic's options that have another default on each machine, where they count."""
    from oslo_utils import netutils

    # To find these may take a while.
    return {name: find() for name, find in (
        ('my_ip', netutils.get_my_ipv4), ('host', socket.getfqdn))
        if any('$' in text and name in text for _, text in given.values())}


class _Configuration:
    """The configuration that files are together, for one service.

    :param given: what is in the files.
    :param defaults: those of the service.
    """

    def __init__(self, files: list[str], given: Given, defaults: Defaults) -> None:
        from oslo_config import cfg

        self._files = files
        self._given = given
        self._conf = cfg.ConfigOpts()
        # Nothing but the files counts: no other file, server or variable that they could name.
        self._conf.set_override('config_source', [])
        self._conf(args=[], project='osc-imgurl', default_config_files=files,
                   default_config_dirs=[], use_env=False)
        self._conf.register_opt(cfg.DictOpt('enabled_backends', default={}))
        for name in ('default_backend', 'default_store'):
            self._conf.register_opt(cfg.StrOpt(name), 'glance_store')
        for group, options in defaults.items():
            self.register(group, options)
        for (group, name), (_, text) in given.items():
            self.register(group, {name: None})
            default = defaults.get(group, {}).get(name)
            # What is empty is not set.
            if default and not text and name != _MAY_BE_EMPTY:
                self._conf.set_override(name, default, group)

    def register(self, group: str | None, options: Mapping[str, str | None]) -> None:
        """Have options read that are not already, and whose names oslo.config accepts.

        :param options: with their defaults.
        """
        from oslo_config import cfg

        for name, default in options.items():
            with contextlib.suppress(cfg.DuplicateOptError, ValueError):
                self._conf.register_opt(cfg.StrOpt(name, default=default), group)

    def stores(self) -> tuple[Mapping[str, str], str | None]:
        """Return the drivers of Glance's stores by their names, and the default store's name.

        The only store of a Glance without ``enabled_backends`` has no name, but a scheme.

        :raises InvalidParameterValue: Glance would not accept them.
        """
        backends = self._value('enabled_backends', 'DEFAULT', 'enabled_backends')
        default = self._value('default_backend', 'glance_store', 'default_backend')
        for name, driver in backends.items():
            if set(name + driver) & set(_BRACKETS) or (
                    driver not in _DRIVERS and re.search('swift|s3', driver, re.IGNORECASE)):
                raise InvalidParameterValue(
                    f'Invalid enabled_backends ({self._source("DEFAULT", "enabled_backends")}):'
                    f' {name}:{driver} is no store to Glance.',
                    'Write enabled_backends = <name>:swift or :s3, without brackets and quotes.')
        if backends and default and default not in backends:
            raise InvalidParameterValue(
                f'Invalid default_backend ({self._source("glance_store", "default_backend")}):'
                f' there is no store {default} in enabled_backends.',
                f'Name one of {", ".join(backends)}.')
        if backends:
            return backends, default
        scheme = self._value('default_store', 'glance_store', 'default_store') or ''
        return {'': 's3' if scheme.startswith('s3') else 'swift'}, ''

    def given(self, setting: Setting, *places: tuple[str, str]) -> Iterator[tuple[int, Candidate]]:
        """Yield a setting that is given once, from the first of its places that gives it.

        :param places: groups and options.
        """
        for group, option in places:
            number, text = self._given.get((_group(group), option), (None, ''))
            if number is None or not (text or option == _MAY_BE_EMPTY):
                continue
            value = self._value(setting.name, group, option)
            if value or option == _MAY_BE_EMPTY:
                if setting.secret:
                    secret_file.warn_of_config_file(self._files[number])
                yield number, (setting, value, self._source(group, option))
                return

    def _value(self, name: str, group: str, option: str) -> Any:
        """Return the value of an option that is registered.

        :param name: what a message calls it.
        """
        from oslo_config import cfg

        known = _group(group)
        # What oslo.config says quotes the value.
        try:
            return self._conf[known][option] if known else self._conf[option]
        except RecursionError:
            raise InvalidParameterValue(
                f'Invalid {name} ({self._source(group, option)}): it stands for itself, by a $.',
                'Give one of the options a value without a $.') from None
        except cfg.Error:
            raise InvalidParameterValue(
                f'Invalid {name} ({self._source(group, option)}): it cannot be read.',
                'A $ stands for the value of another option; write $$ for a $.') from None

    def _source(self, group: str, option: str) -> Source:
        file = self._files[self._given[_group(group), option][0]]
        return Source(Kind.CONFIG_FILE, f'[{group}]{option} in {file}')
