# SPDX-License-Identifier: Apache-2.0
"""What the text of a setting may be.

Each function takes text, returns the value, and raises ValueError with what is expected.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from osc_imgurl.tempurl.endpoint import split_storage_url, validate_endpoint
from osc_imgurl.tempurl.key import Key, validate_key

MAX_SEED = 32
# Why neither a key nor a password may stand in the environment or in clouds.yaml.
PRINTED = 'OpenStackClient prints it with --debug and in "configuration show"'
_A_PASSWORD = re.compile(r'passw(or)?d\W*[=:]|://.*:.*@', re.IGNORECASE | re.DOTALL)
SECONDS_BY_UNIT = {'': 1, 's': 1, 'm': 60, 'h': 3600, 'd': 86400}


def _seconds(minimum: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        match = re.fullmatch(r'(\d+)([smhd]?)', text.strip(), re.ASCII)
        seconds = int(match[1]) * SECONDS_BY_UNIT[match[2]] if match else -1
        if seconds < minimum:
            raise ValueError(f'expected a time of at least {minimum} s,'
                             ' such as 1200, 20m, 1h or 7d')
        return seconds
    return parse


parse_duration = _seconds(1)


def _seed(text: str) -> int:
    if not re.fullmatch(r'\d{1,2}', text.strip(), re.ASCII) or int(text) > MAX_SEED:
        raise ValueError(f'expected an integer from 0 to {MAX_SEED}')
    return int(text)


def _retries(text: str) -> int:
    if not re.fullmatch(r'\d{1,3}', text.strip(), re.ASCII):
        raise ValueError('expected a number of retries, 0 for none')
    return int(text)


def _boolean(text: str) -> bool:
    value = {'true': True, '1': True, 'yes': True, 'on': True,
             'false': False, '0': False, 'no': False, 'off': False}.get(text.strip().lower())
    if value is None:
        raise ValueError('expected true or false')
    return value


def _one_of(*values: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in values:
            raise ValueError(f'expected one of {", ".join(values)}')
        return text
    return parse


def _text(text: str) -> str:
    if not text:
        raise ValueError('expected a value')
    return text


def _prefix(text: str) -> str:
    if '/' in text:
        raise ValueError('expected a name without slashes')
    return text


def _name(text: str) -> str:
    return _prefix(_text(text))


def _url(text: str) -> str:
    return split_storage_url(validate_endpoint(text))[0]


def _schemes(text: str) -> tuple[str, ...]:
    return tuple(scheme.strip() for scheme in text.split(',') if scheme.strip())


def _arguments(value: str) -> tuple[tuple[str, Any], ...]:
    """Take ``name=value,...``; numbers and booleans become what they are."""
    def typed(text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError:
            return text

    if _A_PASSWORD.search(value):
        raise ValueError(f'a password may not stand there: {PRINTED}. Put it into a file, and'
                         ' name that (cache_password_file)')
    pairs = [pair.partition('=') for pair in value.split(',') if pair]
    if not all(name and equals for name, equals, _ in pairs):
        raise ValueError('expected name=value, separated by commas')
    return tuple((name.strip(), typed(text)) for name, _, text in pairs)


def _key(text: str) -> Key:
    return validate_key(text.encode(errors='surrogateescape'))


def _password(text: str) -> str:
    if not _text(text).isprintable():
        raise ValueError('expected one line of UTF-8 without control characters')
    return text
