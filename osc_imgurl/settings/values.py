# SPDX-License-Identifier: Apache-2.0
"""Parsers for the values of settings.

Each function accepts text or an already parsed value, and returns the value. Its ValueError names
what is expected.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Callable
from typing import Any

from osc_imgurl.tempurl.endpoint import split_storage_url, validate_storage_url
from osc_imgurl.tempurl.options import MAX_EXPIRES, parse_duration
from osc_imgurl.tempurl.signing import Key, validate_key

MAX_SEED = 32
# The reason against keys and passwords in the environment and in clouds.yaml.
PRINTED = ('OpenStackClient prints clouds.yaml with --debug and in "configuration show", and any'
           ' program may print its environment')
_A_PASSWORD = re.compile(r'passw(or)?d\W*[=:]', re.IGNORECASE)


def seconds(minimum: int, maximum: int = MAX_EXPIRES) -> Callable[[str | int], int]:
    return functools.partial(parse_duration, minimum=minimum, maximum=maximum)


def seed(given: str | int) -> int:
    if not re.fullmatch(r'\d{1,2}', str(given).strip(), re.ASCII) or int(given) > MAX_SEED:
        raise ValueError(f'expected an integer from 0 to {MAX_SEED}')
    return int(given)


def retries(given: str | int) -> int:
    if not re.fullmatch(r'\d{1,3}', str(given).strip(), re.ASCII):
        raise ValueError('expected a number of retries, 0 for none')
    return int(given)


def boolean(given: str | bool) -> bool:
    value = {'true': True, '1': True, 'yes': True, 'on': True,
             'false': False, '0': False, 'no': False, 'off': False}.get(str(given).strip().lower())
    if value is None:
        raise ValueError('expected true or false')
    return value


def one_of(*values: str) -> Callable[[str], str]:
    def parse(given: str) -> str:
        if given not in values:
            raise ValueError(f'expected one of {", ".join(values)}')
        return given
    return parse


def text(given: str) -> str:
    if not given:
        raise ValueError('expected a value')
    return given


def at_home(path: str) -> str:
    """Return a path with the home folder for ``~``; unchanged without such a home."""
    # pathlib fails without one, and reads an empty path as the current folder.
    return os.path.expanduser(path)  # noqa: PTH111


def path(given: str) -> str:
    return at_home(text(given))


def prefix(given: str) -> str:
    if '/' in given:
        raise ValueError('expected a name without slashes')
    return given


def name(given: str) -> str:
    return prefix(text(given))


def url(given: str) -> str:
    """Accept an endpoint, or a storage URL: what it names is given then, too."""
    valid = validate_storage_url(given).rstrip('/')
    endpoint = split_storage_url(valid)[0]
    if split_storage_url(endpoint)[0] != endpoint:
        raise ValueError('expected a URL with one API version')
    return valid


def schemes(given: str | tuple[str, ...]) -> tuple[str, ...]:
    found = given.split(',') if isinstance(given, str) else given
    return tuple(scheme.strip() for scheme in found if scheme.strip())


def arguments(given: str | tuple[tuple[str, Any], ...]) -> tuple[tuple[str, Any], ...]:
    """Accept ``name=value,...``; parse numbers and booleans. Parsed values keep their types."""
    def typed(value: str) -> Any:
        try:
            return json.loads(value)
        except ValueError:
            return value

    def has_password(text: str) -> bool:
        before_host = text.partition('://')[2].rpartition('@')[0]
        return ':' in before_host or bool(_A_PASSWORD.search(text))

    texts = [given] if isinstance(given, str) else [f'{name}={value}' for name, value in given]
    if any(map(has_password, texts)):
        raise ValueError(f'a password may not stand there: {PRINTED}. Put it into a file, and'
                         ' name that (cache_password_file)')
    if not isinstance(given, str):
        return given
    pairs = [pair.partition('=') for pair in given.split(',') if pair]
    if not all(name and equals for name, equals, _ in pairs):
        raise ValueError('expected name=value, separated by commas')
    return tuple((name.strip(), typed(value)) for name, _, value in pairs)


def key(given: str | Key) -> Key:
    return validate_key(given.value if isinstance(given, Key)
                        else given.encode(errors='surrogateescape'))


def password(given: str) -> str:
    if not text(given).isprintable():
        raise ValueError('expected one line of UTF-8 without control characters')
    return given
