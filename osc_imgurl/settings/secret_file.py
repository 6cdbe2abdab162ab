# SPDX-License-Identifier: Apache-2.0
"""Read and write files with a key or a password."""

from __future__ import annotations

import contextlib
import os
import pathlib
import stat
import sys
from collections.abc import Iterator
from typing import BinaryIO

from osc_imgurl.errors import (
    ImgurlError,
    InvalidParameterValue,
    OutcomeUnknown,
    logger,
)

LOG = logger(__name__)


def standard_input() -> BinaryIO:
    """Return standard input, for ``-`` instead of a file.

    Never use descriptor 0: if standard input is closed, it is the next file opened.

    :raises InvalidParameterValue: it is closed.
    """
    if sys.stdin is None:
        raise InvalidParameterValue('Standard input is closed, and - stands for it.',
                                    'Name a file, or send something to standard input.')
    return sys.stdin.buffer


def read(path: str, kind: str) -> str:
    """Return a file's content, without the newlines at its end.

    It logs a warning if other users can read or change the file.

    :param path: ``-`` is standard input.
    :param kind: the file's name in a warning, such as ``key file``.
    :returns: invalid UTF-8 is escaped (``surrogateescape``).
    :raises OSError: the file cannot be read.
    """
    if path == '-':
        value = standard_input().read()
    else:
        with open(path, 'rb') as file:
            _warn(path, kind, os.fstat(file.fileno()).st_mode, stat.S_IRWXG | stat.S_IRWXO)
            value = file.read()
    return value.rstrip(b'\r\n').decode(errors='surrogateescape')


@contextlib.contextmanager
def created(path: str, value: bytes) -> Iterator[None]:
    """Write a secret to a new file for its owner only.

    The body puts the secret into use. If it fails, the file is removed, unless the secret may be in
    use.

    :raises InvalidParameterValue: the file exists already, or cannot be written.
    """
    try:
        write_new(path, value + b'\n')
    except OSError as error:
        raise InvalidParameterValue(
            f'The file {path or repr(path)} cannot be written: {error.strerror}.',
            'Name another file.') from None
    try:
        yield
    except OutcomeUnknown as error:
        raise error.with_problem(f'{error.problem} The file {path} is kept.') from error
    except ImgurlError as error:
        pathlib.Path(path).unlink(missing_ok=True)
        raise error.with_problem(f'{error.problem} The file {path} is removed again.') from error
    except BaseException:
        LOG.warning('The file %s is kept: the secret in it may be in use', path)
        raise


def write_new(path: str | pathlib.Path, value: bytes) -> None:
    """Write a new file for its owner only, whole or not at all.

    :raises OSError: there is a file or a symbolic link, or it cannot be written.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with open(descriptor, 'wb') as file:
            os.fchmod(descriptor, 0o600)
            file.write(value)
            file.flush()
            os.fsync(descriptor)
    except BaseException:
        pathlib.Path(path).unlink(missing_ok=True)
        raise


def warn_of_config_file(path: str) -> None:
    """Warn of a service's config file with a secret if all users have access to it.

    Its group may: the service itself reads it that way.
    """
    _warn(path, 'config file', pathlib.Path(path).stat().st_mode, stat.S_IRWXO)


def _warn(path: str, kind: str, mode: int, others: int) -> None:
    able = [able for able, bits in (('read', 0o444), ('change', 0o222)) if mode & others & bits]
    if able and stat.S_ISREG(mode):
        LOG.warning('Other users can %s the %s %s, and so the secret in it: chmod %o %s',
                    ' and '.join(able), kind, path, stat.S_IMODE(mode) & ~others, path)
