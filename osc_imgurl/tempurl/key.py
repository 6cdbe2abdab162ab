# SPDX-License-Identifier: Apache-2.0
"""The temporary URL key as a value."""

from __future__ import annotations

import dataclasses
import hashlib
import re

from osc_imgurl.errors import InvalidParameterValue, remember

_CONTROL_CHARACTER = re.compile('[\0-\x1f\x7f-\x9f]')


@dataclasses.dataclass(frozen=True)
class Key:
    """A temporary URL key; its value is in no ``repr``, and in no message or log of this process.

    One that Swift shows is what it is; one that a person gives goes through
    :func:`validate_key` first.

    :raises InvalidParameterValue: it is empty.
    """

    value: bytes = dataclasses.field(repr=False)

    def __post_init__(self) -> None:
        if not self.value:
            raise InvalidParameterValue('The temporary URL key is empty.')
        remember(self.value)

    @property
    def fingerprint(self) -> str:
        """A short name for the key.

        Nobody can find a random key from it. It verifies a guess, as any signature does.
        """
        return hashlib.sha256(b'osc-imgurl key fingerprint\0' + self.value).hexdigest()[:12]


def validate_key(value: bytes) -> Key:
    """Return the key that somebody gives, if Swift can keep it as it is.

    Swift takes a key in a header: a space at either end is lost on the way (Swift 2.38 answers
    204 and keeps the rest), and so is what comes after the end of a line.

    :raises ValueError: it cannot; the message says why, and not what the key is.
    """
    if not value:
        raise ValueError('it is empty')
    if value != value.strip(b' '):
        raise ValueError('it has a space at one end, which Swift does not keep')
    if _CONTROL_CHARACTER.search(value.decode(errors='replace')):
        raise ValueError('it has a control character in it, such as a tab or the end of a line')
    return Key(value)
