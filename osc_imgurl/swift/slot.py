# SPDX-License-Identifier: Apache-2.0
"""The four slots in which Swift keeps temporary URL keys, as values."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class KeySlot:
    """A slot; its text is its name for people, such as ``account key 2``.

    :ivar level: ``account`` or ``container``.
    :ivar number: 1 or 2.
    """

    level: str
    number: int

    def __str__(self) -> str:
        return f'{self.level} key' + (' 2' if self.number == 2 else '')

    @property
    def header(self) -> str:
        """The header in which Swift shows the key, and takes a new one."""
        return f'X-{self.level.title()}-Meta-Temp-Url-Key' + ('-2' if self.number == 2 else '')


# The newer slot first, as a rotation fills it last.
CONTAINER_SLOTS = (KeySlot('container', 2), KeySlot('container', 1))
ACCOUNT_SLOTS = (KeySlot('account', 2), KeySlot('account', 1))
