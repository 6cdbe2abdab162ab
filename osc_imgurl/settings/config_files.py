# SPDX-License-Identifier: Apache-2.0
"""Read the config files of Ironic and Glance.

oslo.config reads them as one configuration, as in the services themselves.
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

# A setting, its value, its source.
Candidate = tuple[Setting, Any, Source]
# Values in files, by group and option: the number of the last file with it, and its text there.
Given = Mapping[tuple[str | None, str], tuple[int, str]]
# By group and option; None is no default.
Defaults = Mapping[str | None, Mapping[str, str | None]]
# The group for all of Glance's stores.
_SHARED = 'backend_defaults'
# The entry points of glance_store's drivers, in their only spellings.
_S3_DRIVERS = ('s3', 'glance.store.s3.Store')
_DRIVERS = ('swift', 'glance.store.swift.Store', *_S3_DRIVERS)
# oslo.config would make them a part of a name.
_BRACKETS = '{}"\''
# An empty value sets only this option: accounts may have no prefix.
_MAY_BE_EMPTY = 'swift_account_prefix'
# Defaults of the services' other options, for a $ in a value: ironic.conf.glance and
# glance_store._drivers.swift.store. With several stores, a store's options have no defaults.
_OF_IRONIC = {_MAY_BE_EMPTY: 'AUTH', 'num_retries': '0', 'region_name': None}
_OF_GLANCE = {'swift_store_region': None, 'swift_store_endpoint': None,
              'swift_store_endpoint_type': 'publicURL', 'swift_store_service_type': 'object-store'}


@dataclasses.dataclass(frozen=True)
class ConfigFiles:
    """The values in config files, each with the number of its file.

    :ivar common: for all stores.
    :ivar stores: for each store; '' is the only store of a Glance without store names.
    :ivar default: Glance's default store.
    :ivar s3: the names of the S3 stores; the others are Swift stores.
    """

    common: Sequence[tuple[int, Candidate]] = ()
    stores: Mapping[str, Sequence[tuple[int, Candidate]]] = dataclasses.field(default_factory=dict)
    default: str = ''
    s3: Collection[str] = ()

    def for_all(self) -> list[Candidate]:
        """Return the values for all stores, the last file's first."""
        return _last_first([*self.common, *self.stores.get(self.default, ())])

    def for_store(self, name: str) -> list[Candidate]:
        """Return the values for one store, the last file's first."""
        return _last_first([*self.stores.get(name, ()), *self.common])


def _last_first(numbered: list[tuple[int, Candidate]]) -> list[Candidate]:
    return [candidate for _, candidate in sorted(numbered, key=lambda each: -each[0])]


def read(paths: Sequence[str]) -> ConfigFiles:
    """Return the values in config files, as one configuration.

    :param paths: files, and folders with ``*.conf``, read in the order of their names.
    :raises InvalidParameterValue: a file or an option in it cannot be read, or Glance would refuse
        its stores.
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
    """Return the files, and those in the folders."""
    files: list[str] = []
    for path in map(values.at_home, paths):
        # pathlib reads an empty path as the current folder.
        if path and (folder := pathlib.Path(path)).is_dir():
            files += map(str, sorted(folder.glob('*.conf')))
        else:
            files.append(path)
    return files


def _parse(files: Sequence[str]) -> Given:
    """Return the texts in files, unchanged."""
    from oslo_config import cfg

    given: dict[tuple[str | None, str], tuple[int, str]] = {}
    for number, file in enumerate(files):
        groups: dict[str, dict[str, list[str]]] = {}
        try:
            cfg.ConfigParser(file, groups).parse()
        except FileNotFoundError:
            raise InvalidParameterValue(f'The config file {file} does not exist.') from None
        except cfg.ParseError:
            # oslo.config's own message quotes the line, perhaps with the key.
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
    """Return a group's name in oslo.config, which ignores case."""
    return None if name == 'DEFAULT' else name.lower()


def _defaults(service: str) -> dict[str, str | None]:
    """Return the defaults of a service's options that are settings."""
    return {getattr(setting, service): None if setting.default in (None, ())
            else str(setting.default) for setting in TABLE if getattr(setting, service)}


def _of_this_machine(given: Given) -> dict[str, str | None]:
    """Return Ironic's options with another default on each machine, if a value uses them."""
    from oslo_utils import netutils

    # Finding these may take a while.
    return {name: find() for name, find in (
        ('my_ip', netutils.get_my_ipv4), ('host', socket.getfqdn))
        if any('$' in text and name in text for _, text in given.values())}


class _Configuration:
    """Config files as one configuration, for one service.

    :param given: the values in the files.
    :param defaults: the service's.
    """

    def __init__(self, files: list[str], given: Given, defaults: Defaults) -> None:
        from oslo_config import cfg

        self._files = files
        self._given = given
        self._conf = cfg.ConfigOpts()
        # Read nothing but these files, even if they name another file, a server or a variable.
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
            # An empty value is not set.
            if default and not text and name != _MAY_BE_EMPTY:
                self._conf.set_override(name, default, group)

    def register(self, group: str | None, options: Mapping[str, str | None]) -> None:
        """Register options with their defaults, unless registered or invalid in oslo.config."""
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
                    f' {name}:{driver} is not a store of Glance.',
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
        """Yield a setting's value, from the first group and option with one; nothing without."""
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
        """Return the value of a registered option; ``name`` is its name in a message."""
        from oslo_config import cfg

        known = _group(group)
        # oslo.config's own messages quote the value.
        try:
            return self._conf[known][option] if known else self._conf[option]
        except RecursionError:
            raise InvalidParameterValue(
                f'Invalid {name} ({self._source(group, option)}): a $ in it refers to itself.',
                'Give one of the options a value without a $.') from None
        except cfg.Error:
            raise InvalidParameterValue(
                f'Invalid {name} ({self._source(group, option)}): it cannot be read.',
                'A $ begins the name of another option; write $$ for a $.') from None

    def _source(self, group: str, option: str) -> Source:
        file = self._files[self._given[_group(group), option][0]]
        return Source(Kind.CONFIG_FILE, f'[{group}]{option} in {file}')
