# SPDX-License-Identifier: Apache-2.0
"""What ``-`` stands for in place of a file."""

from __future__ import annotations

import sys
from typing import BinaryIO

from osc_imgurl.errors import InvalidParameterValue


def standard_input() -> BinaryIO:
    """Return standard input.

    Where it is closed its descriptor is that of the next file that is opened: it is never used by
    its number.

    :raises InvalidParameterValue: it is closed.
    """
    if sys.stdin is None:
        raise InvalidParameterValue('Standard input is closed, and - stands for it.',
                                    'Name a file, or send something to standard input.')
    return sys.stdin.buffer
