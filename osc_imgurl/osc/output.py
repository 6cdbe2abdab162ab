# SPDX-License-Identifier: Apache-2.0
"""What a command prints beside its rows: failures, and how far it is.

A terminal has one line for all copies at once; a log has two per copy.
"""

from __future__ import annotations

import collections
import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TextIO

from osc_imgurl.batch import Failure, Made
from osc_imgurl.errors import logger, printable
from osc_imgurl.glance.image import Image, named
from osc_imgurl.osc.words import typed

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

LOG = logger(__name__)

# What a shell calls the end by an interrupt, and so does cliff.
INTERRUPTED = 128 + signal.SIGINT
DUMB = ('dumb', 'unknown')
# When the count of a list appears, how often the line changes, and how long it leaves the terminal
# to other output: seconds.
DELAY, INTERVAL = 1.0, 0.2
# In columns: the rest of a narrow terminal is the bar's.
LONGEST_NAME = 24
ERASE_LINE = '\r\033[K'


class Progress:
    """Shows progress on standard error; threads share it.

    A terminal gets a bar (images, bytes, rate, time left). A dumb terminal, a file or a pipe gets a
    line when a copy starts, and another when it ends. With ``--quiet`` there is neither.

    :param app: OpenStackClient.
    """

    def __init__(self, app: Any) -> None:
        self._stderr = app.stderr
        self._quiet = app.options.verbose_level == 0
        self._draws = (not self._quiet and self._stderr.isatty()
                       and os.environ.get('TERM') not in DUMB)
        self._lock = threading.Lock()
        self._started, self._next, self._shown = time.monotonic(), 0.0, False
        self._bar: Bar | None = None
        # Of copies: how many began, and ended.
        self._begun = self._ended = 0
        if self._draws:
            for handler in logging.getLogger().handlers:
                handler.addFilter(self._give_way)

    def __call__(self, image: Image) -> contextlib.AbstractContextManager[Callable[[int], None]]:
        """Return what shows a copy of an image; see :data:`osc_imgurl.copies.copier.Progress`."""
        return self._draw(image) if self._draws else self._tell(image)

    def count(self, done: int) -> None:
        """Show how many images of a list are done; a bar of copies comes first."""
        if not self._begun and time.monotonic() - self._started > DELAY:
            self._show(lambda: f'{done} images ...')

    def hide(self) -> None:
        """Leave the terminal to other output, for a while."""
        with self._lock:
            if self._shown:
                self._write(ERASE_LINE)
            self._shown, self._next = False, time.monotonic() + INTERVAL

    def end(self) -> None:
        """Show nothing more, although copies may go on until the process ends."""
        self.hide()
        with self._lock:
            self._quiet = True

    @contextlib.contextmanager
    def _tell(self, image: Image) -> Iterator[Callable[[int], None]]:
        name, started = printable(str(image)), time.monotonic()
        with self._lock:
            self._write(f'Copying {name}: {(image.size or 0) / 1e6:.1f} MB ...\n')
        yield lambda done: None
        with self._lock:
            self._write(f'Copied {name} in {time.monotonic() - started:.1f} s\n')

    @contextlib.contextmanager
    def _draw(self, image: Image) -> Iterator[Callable[[int], None]]:
        size, before = image.size or 0, 0
        name = printable(image.name or image.id)

        def update(done: int) -> None:
            nonlocal before
            bar.update(bar.task_ids[0], advance=done - before)
            before = done
            self._show(lambda: _render(bar))

        def change(size: int) -> None:
            """Change the size of all copies."""
            bar.update(
                bar.task_ids[0], total=(bar.tasks[0].total or 0) + size,
                description=(name if self._begun == 1
                             else f'{self._ended} of {self._begun} copies'))

        with self._lock:
            self._begun += 1
            bar = self._bar = self._bar or _make_bar(self._stderr)
            change(size)
        try:
            yield update
        finally:
            with self._lock:
                self._ended += 1
                # A copy that fails needs no more.
                change(before - size)
            if self._ended == self._begun:
                self.hide()

    def _show(self, text: Callable[[], str]) -> None:
        with self._lock:
            now = time.monotonic()
            if self._draws and not self._quiet and now >= self._next:
                self._write(ERASE_LINE + text())
                self._shown, self._next = True, now + INTERVAL

    def _write(self, text: str) -> None:
        if not self._quiet:
            self._stderr.write(text)
            self._stderr.flush()

    def _give_way(self, record: logging.LogRecord) -> bool:
        """Leave the terminal to a message."""
        self.hide()
        return True


def _make_bar(stderr: TextIO) -> Bar:
    # It takes a while to import.
    from rich import progress, table
    from rich.console import Console

    whole = table.Column(no_wrap=True)
    bar = progress.Progress(
        progress.TextColumn('{task.description}', markup=False, table_column=table.Column(
            no_wrap=True, max_width=LONGEST_NAME)),
        progress.BarColumn(),
        progress.DownloadColumn(table_column=whole),
        progress.TransferSpeedColumn(table_column=whole),
        progress.TimeRemainingColumn(table_column=whole),
        console=Console(file=stderr), auto_refresh=False)
    bar.add_task('', total=0)
    return bar


def _render(bar: Bar) -> str:
    with bar.console.capture() as captured:
        bar.console.print(bar.get_renderable(), end='')
    return captured.get().rstrip('\n')


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
    :ivar exit_status: 1 after a failure, :data:`INTERRUPTED` after an interrupt.
    """

    def __init__(self, stdout: TextIO, progress: Progress, *, streams: bool, fail_fast: bool,
                 with_errors: bool) -> None:
        self.exit_status = 0
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
        # How many images have each.
        reasons: collections.Counter[str] = collections.Counter()
        try:
            for done, item in enumerate(made):
                if self._counts:
                    self._progress.count(done)
                if isinstance(item, Failure):
                    self.exit_status = 1
                    reason = item.error.message(typed)
                    reasons[reason] += 1
                    if reasons[reason] == 1:
                        log(item)
                if isinstance(item, Made) or self._with_errors:
                    if not self._counts:
                        self._progress.hide()
                    yield item
                    # Here the row has been printed; in a pipe it is to be seen now.
                    self._stdout.flush()
                if reasons and self._fail_fast:
                    break
        except KeyboardInterrupt:
            self.exit_status = INTERRUPTED
        finally:
            self._progress.end()
            repeated = reasons.total() - len(reasons)
            if repeated:
                LOG.error('%d more of the images have no URL, for a reason above.%s', repeated,
                          '' if self._with_errors else ' List them (--with-errors).')
