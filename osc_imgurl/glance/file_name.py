# SPDX-License-Identifier: Apache-2.0
"""The name under which an image's download is saved, made from the image's own.

Any user gives an image any name, and whoever downloads it may have a program save it under that.
"""

from __future__ import annotations

import re

from osc_imgurl.errors import printable
from osc_imgurl.glance.image import Image

# In bytes. File systems take 255, and programs add something while they download.
MAX_LENGTH = 240
# What leads into another folder, or means something to a shell or a file system.
_SPECIAL = re.compile(r'[/\\:*?"<>|$`&;]')
_FORMAT = re.compile('[a-z0-9-]{1,20}')


def file_name(image: Image) -> str:
    """Return ``<name>.<disk format>``, the name of a file in whichever folder it is saved.

    What does not belong into such a name is replaced by ``_``: separators of folders, characters
    that are not printable, and a dot or a dash at the beginning, which would hide the file or
    make it an option. It is cut off after :data:`MAX_LENGTH`. An image without a name has its ID
    for one; without a disk format there is none behind it.
    """
    disk_format = image.disk_format or ''
    ending = f'.{disk_format}' if _FORMAT.fullmatch(disk_format) else ''
    name = _clean(image.name or '').removesuffix(ending) or _clean(image.id)
    if name[:1] in ('.', '-'):
        name = f'_{name[1:]}'
    return _cut(name, MAX_LENGTH - len(ending)) + ending


def _clean(text: str) -> str:
    shown = ''.join(char if printable(char) == char else '_' for char in text)
    return _SPECIAL.sub('_', shown).strip()


def _cut(text: str, length: int) -> str:
    """Return no more than so many bytes of a text, and no part of a character."""
    return text.encode()[:length].decode(errors='ignore')
