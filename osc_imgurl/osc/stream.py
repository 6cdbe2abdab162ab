# SPDX-License-Identifier: Apache-2.0
"""Print rows while others are fetched."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator
from typing import TextIO

from osc_imgurl.batch import Failure, Made
from osc_imgurl.errors import InvalidParameterValue, logger, printable
from osc_imgurl.glance.image import named
from osc_imgurl.osc.common import typed
from osc_imgurl.osc.progress import Progress
from osc_imgurl.settings.secret_file import standard_input
from osc_imgurl.settings.values import at_home

LOG = logger(__name__)


def references(images: Iterable[str], path: str | None) -> Iterator[str]:
    """Yield the images named on the command line, then those in a file, one a line.

    A line beginning with ``#`` is a comment.

    :param path: ``-`` is standard input; None: there is no file.
    :raises InvalidParameterValue: the file cannot be read, or no image is named at all.
    """
    empty = True
    for image in itertools.chain(images, _lines(path)):
        empty = False
        yield image
    if empty:
        raise InvalidParameterValue(
            f'{"Standard input" if path == "-" else f"The file {path}"} names no image.')


def _lines(path: str | None) -> Iterator[str]:
    if path is None:
        return
    try:
        with (contextlib.nullcontext(standard_input()) if path == '-'
              else open(at_home(path), 'rb')) as file:
            for line in (line.decode().strip() for line in file):
                if line and not line.startswith('#'):
                    yield line
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, 'strerror', None) or 'it is not UTF-8'
        raise InvalidParameterValue(f'The file {path} cannot be read: {reason}.') from None


def log(failure: Failure) -> None:
    """Log the reason why an image has no URL."""
    message = failure.error.message(typed)
    LOG.error('%s', message if printable(failure.image) in message
              else f'{named(failure.image, failure.name)}: {message}')


class Output:
    """What a list prints beside its rows: failures, progress, and rows at once in a pipe.

    :param streams: whether each row is printed as it comes.
    :param fail_fast: stop at the first failure.
    :param with_errors: failures have rows too.
    """

    def __init__(self, stdout: TextIO, progress: Progress, *, streams: bool, fail_fast: bool,
                 with_errors: bool) -> None:
        self.failed = False
        # The reasons given, and how many more images have one of them.
        self._reasons: set[str] = set()
        self._repeated = 0
        self.interrupted = False
        self._stdout = stdout
        self._progress = progress
        # Rows on the same terminal are progress enough.
        self._counts = not (streams and stdout.isatty())
        self._fail_fast = fail_fast
        self._with_errors = with_errors

    def through(self, made: Iterable[Made | Failure]) -> Iterator[Made | Failure]:
        """Yield the items with a row; log the reason of each failure.

        The same reason is given once, such as a missing key.

        An interrupt ends them, and every format prints the rows so far.
        """
        try:
            for done, item in enumerate(made):
                if self._counts:
                    self._progress.count(done)
                if isinstance(item, Failure):
                    self._say(item)
                if isinstance(item, Made) or self._with_errors:
                    if not self._counts:
                        self._progress.hide()
                    yield item
                    # Here the row has been printed; in a pipe it is to be seen now.
                    self._stdout.flush()
                if self.failed and self._fail_fast:
                    break
        except KeyboardInterrupt:
            self.interrupted = True
        finally:
            self._progress.end()
            if self._repeated:
                LOG.error('%d more of the images have no URL, for a reason above.%s',
                          self._repeated,
                          '' if self._with_errors else ' List them (--with-errors).')

    def _say(self, failure: Failure) -> None:
        self.failed = True
        reason = failure.error.message(typed)
        if reason in self._reasons:
            self._repeated += 1
            return
        self._reasons.add(reason)
        log(failure)
