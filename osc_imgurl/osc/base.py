# SPDX-License-Identifier: Apache-2.0
"""The base classes of the commands: what an untrusted user wrote is shown, and does nothing else.

Names of images, containers and objects, a server's headers and its messages may hold control
characters and what a shell takes for a command.
"""

from __future__ import annotations

import abc
import argparse
import contextlib
import io
import logging
import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from importlib import metadata
from typing import Any, TextIO

from cliff.columns import FormattableColumn
from cliff.formatters import shell
from osc_lib import exceptions
from osc_lib.command import command

from osc_imgurl.osc import lib

# The formatters with quotes of their own; in all others a row is a line of a terminal.
EXACT_FORMATTERS = ('csv', 'json', 'shell', 'yaml')
# No variable of a shell can hold these.
_UNSPEAKABLE = re.compile('[\0\ud800-\udfff]')


class HelpFormatter(argparse.HelpFormatter):
    """Leaves the lines of an example as they are; what is copied from it is to work."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if '\n' not in text:
            return super()._fill_text(text, width, indent)
        return '\n'.join(indent + line for line in text.splitlines())


class Command(command.Command):
    """A command with a printable log and errors: without secrets, and with options' names.

    The libraries' log, and OpenStackClient's own, follow the same rules from then on.

    :ivar exit_status: the command sets it if a part of what was asked for is not done.
    """

    exit_status = 0

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.formatter_class = HelpFormatter
        self.add_arguments(parser)
        return parser

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's own arguments and options."""

    def get_epilog(self) -> str:
        return f'{super().get_epilog()}\n\nosc-imgurl {metadata.version("osc-imgurl")}'

    def run(self, parsed_args: argparse.Namespace) -> int:
        _print_anything(self.app.stdout)
        for handler in logging.getLogger().handlers:
            handler.addFilter(_sanitize)
            _print_anything(getattr(handler, 'stream', None))
        lib.http.hide_signatures()
        try:
            return super().run(parsed_args) or self.exit_status
        except lib.errors.ImgurlError as error:
            raise exceptions.CommandError(error.message(lib.words.typed)) from error


def report(errors: Iterable[lib.errors.ImgurlError]) -> int:
    """Log why a part of what was asked for is not done; return the exit status."""
    code = 0
    for error in errors:
        lib.errors.logger(__name__).error('%s', error.message(lib.words.typed))
        code = 1
    return code


class ShellFormatter(shell.ShellFormatter):
    """Cliff's formatter quotes ``"`` only: with it a shell would run ``$(...)`` in a value."""

    def emit_one(self, column_names: Sequence[str], data: Sequence[Any], stdout: TextIO,
                 parsed_args: argparse.Namespace) -> None:
        for column, value in zip(column_names, data, strict=True):
            name = re.sub(r'\W', '_', column.lower(), flags=re.ASCII)
            if parsed_args.variables and name not in parsed_args.variables:
                continue
            text = str(value.machine_readable() if isinstance(value, FormattableColumn) else value)
            text = _UNSPEAKABLE.sub(lambda found: lib.errors.printable(found[0]), text)
            stdout.write(f'{parsed_args.prefix}{name}={shlex.quote(text)}\n')


class ShowOne(Command, command.ShowOne):
    """A command to print one row; a POSIX shell can evaluate ``-f shell``."""

    @abc.abstractmethod
    def row(self, parsed_args: argparse.Namespace) -> dict[str, Any]:
        """Return the row, by column."""

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Any, Any]:
        row = self.row(parsed_args)
        return tuple(row), tuple(row.values())

    def produce_output(self, parsed_args: argparse.Namespace, column_names: Sequence[str],
                       data: Iterable[Any]) -> int:
        if parsed_args.formatter == 'shell':
            self.formatter = ShellFormatter()
        if parsed_args.formatter in ('shell', 'value'):
            data = ['' if cell is None else cell for cell in data]
        row = _shown(data, parsed_args.formatter)
        return super().produce_output(parsed_args, column_names, row)


class Lister(Command, command.Lister):
    """A command to print rows, one by one if the formatter does so."""

    # cliff does not sort rows with numbers and texts.
    need_sort_by_cliff = False

    def produce_output(self, parsed_args: argparse.Namespace, column_names: Sequence[str],
                       data: Iterable[Sequence[Any]]) -> int:
        names = [_normalized(name) for name in column_names]
        for column in reversed(parsed_args.sort_columns):
            if _normalized(column) in names:
                data = sorted(data, key=_by(names.index(_normalized(column))),
                              reverse=parsed_args.sort_direction == 'desc')
        rows = (_shown(row, parsed_args.formatter) for row in data)
        return super().produce_output(parsed_args, column_names, rows)


def _normalized(column: str) -> str:
    return column.lower().replace('_', ' ')


def _by(column: int) -> Callable[[Sequence[Any]], tuple[bool, bool, float, str]]:
    """Return by what rows are sorted: numbers come first, then texts, then nothing."""
    def order(row: Sequence[Any]) -> tuple[bool, bool, float, str]:
        cell = row[column]
        value = cell.machine_readable() if isinstance(cell, FormattableColumn) else cell
        number = isinstance(value, (int, float))
        return value is None, not number, value if number else 0, '' if number else str(value)

    return order


def _shown(row: Iterable[Any], formatter: str) -> list[Any]:
    """Return a row as a formatter is to have it."""
    if formatter in EXACT_FORMATTERS:
        return list(row)
    # As cliff's formatters do: a table is for people, a bare value for machines.
    table = formatter == 'table'
    cells = ((cell.human_readable() if table else str(cell.machine_readable()))
             if isinstance(cell, FormattableColumn) else '' if table and cell is None else cell
             for cell in row)
    return [lib.errors.printable(cell) if isinstance(cell, str) else cell for cell in cells]


def _print_anything(stream: TextIO | None) -> None:
    """Have a stream escape characters outside its encoding."""
    if isinstance(stream, io.TextIOWrapper):
        # It asks for the position in the stream, and a pipe has none.
        with contextlib.suppress(OSError):
            stream.reconfigure(errors='backslashreplace')


def _sanitize(record: logging.LogRecord) -> bool:
    """Sanitize a message, and the traceback that it has with --debug; lines stay lines.

    An error in it speaks of options.
    """
    def sanitize(text: str) -> str:
        return '\n'.join(map(lib.errors.printable, lib.errors.hide_secrets(text).split('\n')))

    if isinstance(record.args, tuple):
        record.args = tuple(
            each.message(lib.words.typed) if isinstance(each, lib.errors.ImgurlError) else each
            for each in record.args)
    lib.errors.rewrite(record, sanitize)
    if record.exc_info:
        record.exc_text = sanitize(logging.Formatter().formatException(record.exc_info))
    return True
