# SPDX-License-Identifier: Apache-2.0
"""The errors of this library. Each message is one line: what is wrong, and what to do.

A message, here and in a log, may quote what a stranger wrote: :func:`printable` has gone over it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

# What a user can do, beside giving a setting or a part of a request: see :func:`advice`.
SET_KEY = 'set a key'
SET_GIVEN_KEY = 'set the given key'
ROTATE_KEY = 'rotate the key'
FINISH_ROTATION = 'finish the rotation'
LIST_KEYS = 'list the keys'
ACTIVATE_IMAGE = 'activate the image'
COPY_IMAGE = 'copy the image to another store'
SAVE_IMAGE = 'download the image with a token'
CREATE_URL = 'create a URL'
DELETE_COPIES = 'delete copies'
FORCE = 'force'
TRUSTED_AUTHORITY = 'cacert'
CLIENT_CERTIFICATE = 'cert and key'

# Of another library's message, in characters: a server may have written a whole page.
MAX_QUOTED = 300


def printable(text: str) -> str:
    """Return a text as it can be shown: one line that does nothing to a terminal, log or reader.

    Escaped is what Python's ``repr`` escapes (:meth:`str.isprintable`): control characters, those
    that turn the direction of writing or have no width, separators but the space, and lone
    surrogates. Backslashes are left alone, so that a text may go through here twice.

    >>> print(printable('two\\nlines \\x1b[31m \\u202egnp.exe'))
    two\\nlines \\x1b[31m \\u202egnp.exe
    """
    if text.isprintable():
        return text
    return ''.join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def logger(name: str) -> logging.Logger:
    """Return a module's logger, whose messages are printable whoever takes them up."""
    log = logging.getLogger(name)
    log.addFilter(_escape)
    return log


def _escape(record: logging.LogRecord) -> bool:
    message = record.getMessage()
    if not message.isprintable():
        record.msg, record.args = printable(message), ()
    return True


def advice(remedy: str, names: Sequence[str], call: Callable[[str], str] = str) -> str:
    """Return a remedy that says what it is about.

    >>> advice('Use a longer duration.', ['duration'])
    'Use a longer duration (duration).'

    :param names: of settings, of parts of a request, or of what else a user can do.
    :param call: what a user calls each of them, such as an option of a command line.
    """
    if not names:
        return remedy
    return f'{remedy.removesuffix(".")} ({", ".join(map(call, names))}).'


class ImgurlError(Exception):
    """The base of every error that this library raises on purpose.

    :ivar problem: what is wrong; printable, as the remedy is.
    :ivar remedy: what to do; empty where the problem says it, or nothing helps.
    :ivar names: what the remedy is about: see :func:`advice`.
    """

    def __init__(self, problem: str, remedy: str = '', *names: str) -> None:
        self.problem = printable(problem)
        self.remedy = printable(remedy)
        self.names = names
        super().__init__(self.message())

    def message(self, call: Callable[[str], str] = str) -> str:
        """Return problem and remedy, as one line.

        :param call: as for :func:`advice`.
        """
        return ' '.join(filter(None, (self.problem, advice(self.remedy, self.names, call))))


class MissingParameterValue(ImgurlError):
    """A value is needed, is not given and could not be looked up either."""


class InvalidParameterValue(ImgurlError):
    """A value is given and is not one that can be used."""


class ImageNotFound(ImgurlError):
    """No image has the given UUID or name."""


class ImageNotUnique(ImgurlError):
    """More than one image has the given name."""


class ImageNotAuthorized(ImgurlError):
    """Glance does not let these credentials do what was asked."""


class ImageUnacceptable(ImgurlError):
    """The image exists, and no temporary URL can be made for it as it is."""


class LocationNotBelieved(ImageUnacceptable):
    """Whoever wrote the image's location may have meant another object than the image's."""


class ImageDownloadFailed(ImgurlError):
    """The image's data could not be read, or is not what its hash says."""


class GlanceFailed(ImgurlError):
    """Glance could not be reached, or answered with an error."""


class ObjectStoreFailed(ImgurlError):
    """Swift could not be reached, or answered with an error."""


class ObjectStoreNotAuthorized(ObjectStoreFailed):
    """Swift does not show these credentials the account or container."""


class ObjectStoreFull(ObjectStoreFailed):
    """A quota, or a disk, has no room for what is to be written."""


class ObjectMismatch(ImgurlError):
    """The object where an image should be holds other data than the image's."""


class TempURLRefused(ImgurlError):
    """Swift refuses a temporary URL that has just been made."""


class CacheFailed(ImgurlError):
    """The cache cannot be used."""


def one_line(error: Exception) -> str:
    """Return another library's message as one line, cut off after :data:`MAX_QUOTED`."""
    text = ' '.join(str(error).split()) or type(error).__name__
    return text if len(text) <= MAX_QUOTED else f'{text[:MAX_QUOTED]} ...'
