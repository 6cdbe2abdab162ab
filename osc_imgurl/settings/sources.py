# SPDX-License-Identifier: Apache-2.0
"""Read settings from their sources: options, environment, ``clouds.yaml``, config files."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from osc_imgurl.errors import InvalidParameterValue, remember
from osc_imgurl.settings import config_files as services
from osc_imgurl.settings import secret_file, values
from osc_imgurl.settings.config_files import Candidate
from osc_imgurl.settings.table import (
    BY_NAME,
    CLOUD_KEY,
    ENVIRONMENT_PREFIX,
    FORMER_PREFIX,
    TABLE,
    Kind,
    Setting,
    Settings,
    Source,
    of_name,
)

STORES = 'stores'
_TRUST = ('Put it into ~/.config/openstack or /etc/openstack, or name the file explicitly'
          ' (OS_CLIENT_CONFIG_FILE, OS_CLIENT_SECURE_FILE).')


def load(options: Mapping[str, Any], environment: Mapping[str, str] | None = None,
         cloud: Mapping[str, Any] | None = None,
         config_files: Sequence[str] = (), ignored: Collection[str] = (), *,
         untrusted: Sequence[str] = (), name_option: Callable[[str], str] = str) -> Settings:
    """Return the settings in effect. For each setting, the first source with a value wins.

    The order is: options, environment, ``clouds.yaml``, config files, defaults. All config files
    are one configuration: the last file wins, as in every OpenStack service. ``clouds.yaml``
    (``stores:``) and ``glance-api.conf`` can give values for one Glance store. In the settings of
    that store, they come before the same source's values for all stores.

    :param options: values from the caller, by setting; None is not given.
    :param environment: a process environment, with ``OSC_IMGURL_<SETTING>``.
    :param cloud: a cloud's entry of ``clouds.yaml``, with the mapping ``image_temp_url``.
    :param config_files: paths of an ``ironic.conf`` (its group ``[glance]``), a
        ``glance-api.conf`` (the groups of its Swift and S3 stores), or a folder with such files.
    :param ignored: these settings keep their defaults.
    :param untrusted: files of the cloud's entry that untrusted users may have written; restricted
        settings in them are refused.
    :param name_option: returns the user's name for a setting's option.
    :raises InvalidParameterValue: a value or a name is invalid, a file cannot be read, a key or
        password is in a place that OpenStackClient prints, or a restricted setting comes from an
        untrusted file.
    """
    first = [
        *((BY_NAME[name], value, Source(Kind.OPTION, name_option(name)))
          for name, value in options.items() if value is not None),
        *_from_environment(environment or {})]
    in_cloud, stores_in_cloud = _from_cloud((cloud or {}).get(CLOUD_KEY))
    of_services = services.read(config_files)
    # Standard input can be read only once.
    read = functools.cache(read_secret)

    def settings_of(candidates: Iterable[Candidate]) -> Settings:
        return _in_effect((each for each in candidates if each[0].name not in ignored), read,
                          untrusted)

    settings = settings_of([*first, *in_cloud, *of_services.for_all()])
    stores = {}
    for name in {**stores_in_cloud, **dict.fromkeys(filter(None, of_services.stores))}:
        try:
            stores[name] = dataclasses.replace(settings_of([
                *first, *(of_name(stores_in_cloud, name) or ()), *in_cloud,
                *of_services.for_store(name)]), s3=name in of_services.s3)
        except InvalidParameterValue as error:
            raise error.with_problem(
                f'The settings of the store {name}: {error.problem}') from None
    return dataclasses.replace(
        settings, stores=stores, s3=of_services.default in of_services.s3)


def _in_effect(candidates: Iterable[Candidate], read: Callable[[Setting, str], Any],
               untrusted: Sequence[str]) -> Settings:
    """Return the settings: the first candidate for each wins.

    :param read: reads the value of a setting from a file of its own.
    :param untrusted: as for :func:`load`.
    """
    found: dict[str, Any] = {}
    sources: dict[str, Source] = {}
    for setting, value, source in candidates:
        if setting.name not in found:
            if setting.restricted and source.kind is Kind.CLOUD and untrusted:
                raise InvalidParameterValue(
                    f'The setting {source} is not accepted from {" and ".join(untrusted)}: it names'
                    ' a file to read, or a server to send the content to, and an untrusted user'
                    ' may have written it.', _TRUST)
            found[setting.name] = _parse(setting, value, source)
            sources[setting.name] = source
    for setting in TABLE:
        if setting.file in found:
            found[setting.name] = read(setting, found[setting.file])
            sources[setting.name] = sources[setting.file]
    return Settings(**found, sources=sources)


def read_secret(setting: Setting, path: str) -> Any:
    """Return the value of a setting from a file of its own, without newlines at the end.

    It logs a warning if other users can read or change the file.

    :param path: ``-`` is standard input.
    :raises InvalidParameterValue: the file cannot be read, or its value is invalid.
    """
    kind = setting.file.replace('_', ' ')
    try:
        text = secret_file.read(path, kind)
    except OSError as error:
        raise InvalidParameterValue(
            f'The {kind} {path or repr(path)} cannot be read: {error.strerror}.') from None
    return _parse(setting, text, 'on standard input' if path == '-' else f'in {path}')


def _parse(setting: Setting, value: Any, source: Source | str) -> Any:
    given: Any = ','.join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    if isinstance(value, Mapping) and setting.parse is values.arguments:
        given = tuple((str(name), item) for name, item in value.items())
    try:
        return setting.parse(given)
    except ValueError as error:
        # In any form of URL, this part is the credentials.
        remember(str(value).rpartition('@')[0])
        shown = '' if setting.secret else f' {str(value)!r}'
        raise InvalidParameterValue(
            f'Invalid {setting.name}{shown} ({source}): {error}.') from None


def _known(name: str, source: Source) -> Setting:
    if name not in BY_NAME:
        raise InvalidParameterValue(
            f'{source} names no setting; the settings are:'
            f' {", ".join(setting.name for setting in TABLE if setting.everywhere)}.')
    setting = BY_NAME[name]
    if not setting.everywhere:
        file = BY_NAME[setting.file]
        raise InvalidParameterValue(
            f'The {name} may not stand in {source}: {values.PRINTED}.',
            f'Put it into a file, and name the file in {file.environment}, in clouds.yaml'
            f' ({CLOUD_KEY}: {file.name}) or as an option.', *([file.name] if file.metavar else []))
    return setting


def _from_environment(environment: Mapping[str, str]) -> Iterator[Candidate]:
    for variable, value in environment.items():
        if variable.startswith(FORMER_PREFIX):
            setting = BY_NAME.get(variable.removeprefix(FORMER_PREFIX).lower())
            instead = f', and set {setting.environment} instead' if setting else ''
            if setting and not setting.everywhere:
                instead = (f', and put the {setting.name.replace("_", " ")} into a file that'
                           f' {BY_NAME[setting.file].environment} names')
            raise InvalidParameterValue(
                f'{variable} is not a setting: OpenStackClient turns unknown OS_* variables into a'
                ' cloud "envvars", and every command may fail then.',
                f'Unset it{instead}.')
        # As for OpenStackClient, an empty variable is not set.
        if variable.startswith(ENVIRONMENT_PREFIX) and value:
            name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
            source = Source(Kind.ENVIRONMENT, variable)
            yield _known(name, source), value, source


def _from_cloud(mapping: Any) -> tuple[list[Candidate], dict[str, list[Candidate]]]:
    """Return the values in ``clouds.yaml`` for all stores, and for each."""
    common = dict(_mapping(mapping, CLOUD_KEY))
    stores = {str(name): list(_settings_of_store(given, f'{CLOUD_KEY}.{STORES}.{name}'))
              for name, given in _mapping(common.pop(STORES, None), f'{CLOUD_KEY}.{STORES}')}
    return list(_candidates(common.items(), CLOUD_KEY)), stores


def _settings_of_store(given: Any, name: str) -> Iterator[Candidate]:
    for setting, value, source in _candidates(_mapping(given, name), name):
        if not setting.of_store:
            raise InvalidParameterValue(
                f'{source} is not a setting of a store; those are:'
                f' {", ".join(setting.name for setting in TABLE if setting.of_store)}.')
        yield setting, value, source


def _mapping(given: Any, name: str) -> Iterable[tuple[Any, Any]]:
    if given is None:
        return ()
    if not isinstance(given, Mapping):
        raise InvalidParameterValue(f'{name} in clouds.yaml is not a mapping of settings.')
    return given.items()


def _candidates(given: Iterable[tuple[Any, Any]], where: str) -> Iterator[Candidate]:
    for name, value in given:
        source = Source(Kind.CLOUD, f'{where}.{name} in clouds.yaml')
        setting = _known(str(name).lower().replace('-', '_'), source)
        if value is not None:
            yield setting, value, source
