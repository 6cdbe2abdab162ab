# SPDX-License-Identifier: Apache-2.0
"""The temporary URL key as a value."""

from __future__ import annotations

import dataclasses
import hashlib


@dataclasses.dataclass(frozen=True)
class Key:
    """A temporary URL key; its value is in no ``repr``."""

    value: bytes = dataclasses.field(repr=False)

    @property
    def fingerprint(self) -> str:
        """A short name for the key, from which the key cannot be told.

        It gives away no more than any signature made with the key.
        """
        return hashlib.sha256(b'osc-imgurl key fingerprint\0' + self.value).hexdigest()[:12]
