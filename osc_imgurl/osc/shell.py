# SPDX-License-Identifier: Apache-2.0
"""Rows that a shell can evaluate."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Sequence
from typing import Any, TextIO

from cliff.columns import FormattableColumn
from cliff.formatters import shell

from osc_imgurl.errors import printable

# What no variable of a shell can hold.
_UNSPEAKABLE = re.compile('[\0\ud800-\udfff]')


class ShellFormatter(shell.ShellFormatter):
    """As cliff's, which quotes ``"`` only: ``$(...)`` in a value would run when it is evaluated."""

    def emit_one(self, column_names: Sequence[str], data: Sequence[Any], stdout: TextIO,
                 parsed_args: argparse.Namespace) -> None:
        for column, value in zip(column_names, data, strict=True):
            name = re.sub(r'\W', '_', column.lower(), flags=re.ASCII)
            if parsed_args.variables and name not in parsed_args.variables:
                continue
            text = str(value.machine_readable() if isinstance(value, FormattableColumn) else value)
            text = _UNSPEAKABLE.sub(lambda found: printable(found[0]), text)
            stdout.write(f'{parsed_args.prefix}{name}={shlex.quote(text)}\n')
