# SPDX-License-Identifier: Apache-2.0
"""What the config files of services give: of an Ironic, a Glance, or both.

oslo.config reads them as one configuration, so that they mean what they mean to the service.
"""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import socket
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.settings import secret_file, values
from osc_imgurl.settings.table import TABLE, Kind, Setting, Source

# A setting, its value, and where it comes from.
Candidate = tuple[Setting, Any, Source]
# What Glance's stores have in common.
_SHARED = 'backend_defaults'
# What the services put in the place of an option that is in no file, beside the options that are
# settings. (ironic.conf.glance, glance_store._drivers.swift.store; those of a store have no
# defaults where there are several.)
_OF_IRONIC = {'swift_account_prefix': 'AUTH', 'num_retries': 0, 'region_name': None}
_OF_GLANCE = {'swift_store_region': None, 'swift_store_endpoint': None,
              'swift_store_endpoint_type': 'publicURL', 'swift_store_service_type': 'object-store'}


@dataclasses.dataclass(frozen=True)
class ConfigFiles:
    """What config files give, each setting with the number of its file.

    :ivar common: for all images.
    :ivar stores: for those in each store; a Glance whose only store has no name has it under ''.
    :ivar default: the store that Glance puts an image into which nobody says a store for.
    """

    common: Sequence[tuple[int, Candidate]] = ()
    stores: Mapping[str, Sequence[tuple[int, Candidate]]] = dataclasses.field(default_factory=dict)
    default: str = ''

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
    :raises InvalidParameterValue: a file cannot be read, or an option in it.
    """
    if not paths:
        return ConfigFiles()
    conf = _Configuration(_files_of(paths))
    backends = conf.value('enabled_backends', 'DEFAULT', 'enabled_backends')
    names = [name for name, kind in backends.items() if kind == 'swift']
    default = conf.value('default_backend', 'glance_store', 'default_backend')
    conf.register_defaults(names)
    return ConfigFiles(
        [each for setting in TABLE for each in conf.given(
            setting, ('deploy', setting.deploy), ('glance', setting.ironic))],
        {name: [each for setting in TABLE for each in conf.given(
            setting, *((group, setting.glance) for group in (
                (name, _SHARED) if name else ('glance_store',))))] for name in names or ['']},
        default if default in names else next(iter(names), ''))


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


def _parse(file: str) -> dict[str, dict[str, list[str]]]:
    """Return the values in one file, by group and option."""
    from oslo_config import cfg

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
    return groups


def _group(name: str) -> str | None:
    """Return a group as oslo.config knows it, which takes no notice of capitals."""
    return None if name == 'DEFAULT' else name.lower()


class _Configuration:
    """The configuration that files are together."""

    def __init__(self, files: list[str]) -> None:
        from oslo_config import cfg

        self._files = files
        # By group and option: the number of the last file that has it.
        self._numbers: dict[tuple[str | None, str], int] = {}
        self._substituted: list[str] = []
        for number, file in enumerate(files):
            for group, options in _parse(file).items():
                self._numbers.update({(_group(group), option): number for option in options})
                self._substituted += [value for found in options.values() for value in found
                                      if '$' in value]
        self._conf = cfg.ConfigOpts()
        # Nothing but the files counts: no other file, server or variable that they could name.
        self._conf.set_override('config_source', [])
        self._conf(args=[], project='osc-imgurl', default_config_files=files,
                   default_config_dirs=[], use_env=False)
        self._conf.register_opt(cfg.DictOpt('enabled_backends', default={}))
        self._conf.register_opt(cfg.StrOpt('default_backend'), 'glance_store')
        for known, name in self._numbers:
            self._register(known, name)

    def register_defaults(self, stores: Sequence[str]) -> None:
        """Have an option that is in no file, but has a default in its service, stand for that.

        :param stores: the names of Glance's.
        """
        if not self._substituted:
            return
        from oslo_utils import netutils

        ironic, glance = ({
            getattr(setting, service): setting.default
            for setting in TABLE if getattr(setting, service)} for service in ('ironic', 'glance'))
        glance |= _OF_GLANCE
        of_this_machine = {'my_ip': netutils.get_my_ipv4, 'host': socket.getfqdn}
        # To find these may take a while.
        machine = {name: find() for name, find in of_this_machine.items()
                   if any(name in value for value in self._substituted)}
        for group, options in (
                (None, machine), ('glance', ironic | _OF_IRONIC), ('glance_store', glance),
                (_SHARED, glance), *((_group(name), dict.fromkeys(glance)) for name in stores)):
            for name, default in options.items():
                self._register(group, name, None if default in (None, ()) else str(default))

    def _register(self, group: str | None, name: str, default: str | None = None) -> None:
        """Have an option read, unless it is already, or oslo.config knows no such name."""
        from oslo_config import cfg

        with contextlib.suppress(cfg.DuplicateOptError, ValueError):
            self._conf.register_opt(cfg.StrOpt(name, default=default), group)

    def given(self, setting: Setting, *places: tuple[str, str]) -> Iterator[tuple[int, Candidate]]:
        """Yield a setting that is given once, from the first of its places that gives it.

        :param places: groups and options.
        """
        for group, option in places:
            number = self._numbers.get((_group(group), option))
            if number is None:
                continue
            value = self.value(setting.name, group, option)
            # What is empty is not set, but for a prefix: there may be none.
            if value or setting.parse is values.prefix:
                if setting.secret:
                    secret_file.warn_of_config_file(self._files[number])
                yield number, (setting, value, self._source(group, option))
                return

    def value(self, name: str, group: str, option: str) -> Any:
        """Return the value of an option that is registered.

        :param name: what a message calls it.
        """
        from oslo_config import cfg

        known = _group(group)
        try:
            return self._conf[known][option] if known else self._conf[option]
        except (cfg.Error, RecursionError):
            # What oslo.config says quotes the value.
            raise InvalidParameterValue(
                f'Invalid {name} ({self._source(group, option)}): it cannot be read.',
                'A $ stands for the value of another option; write $$ for a $.') from None

    def _source(self, group: str, option: str) -> Source:
        file = self._files[self._numbers[_group(group), option]]
        return Source(Kind.CONFIG_FILE, f'[{group}]{option} in {file}')
