# SPDX-License-Identifier: Apache-2.0
"""How far a command is: one line on a terminal, for all copies at once; in a log, two per copy."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from osc_imgurl.errors import printable
from osc_imgurl.glance.image import Image

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

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
        # Of copies: how many began, and ended; and their bytes.
        self._begun = self._ended = self._done = self._total = 0
        self._name = ''
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
        named, started = printable(str(image)), time.monotonic()
        with self._lock:
            self._write(f'Copying {named}: {(image.size or 0) / 1e6:.1f} MB ...\n')
        yield lambda done: None
        with self._lock:
            self._write(f'Copied {named} in {time.monotonic() - started:.1f} s\n')

    @contextlib.contextmanager
    def _draw(self, image: Image) -> Iterator[Callable[[int], None]]:
        size, before = image.size or 0, 0

        def update(done: int) -> None:
            nonlocal before
            with self._lock:
                self._done += done - before
            before = done
            self._show(self._render)

        with self._lock:
            self._begun += 1
            self._total += size
            self._name = printable(image.name or image.id)
        try:
            yield update
        finally:
            with self._lock:
                self._ended += 1
                # A copy that fails needs no more.
                self._total += before - size
            if self._ended == self._begun:
                self.hide()

    def _show(self, text: Callable[[], str]) -> None:
        with self._lock:
            now = time.monotonic()
            if self._draws and not self._quiet and now >= self._next:
                self._write(ERASE_LINE + text())
                self._shown, self._next = True, now + INTERVAL

    def _render(self) -> str:
        # It takes a while to import.
        from rich import progress, table
        from rich.console import Console

        if self._bar is None:
            whole = table.Column(no_wrap=True)
            self._bar = progress.Progress(
                progress.TextColumn('{task.description}', markup=False, table_column=table.Column(
                    no_wrap=True, max_width=LONGEST_NAME)),
                progress.BarColumn(),
                progress.DownloadColumn(table_column=whole),
                progress.TransferSpeedColumn(table_column=whole),
                progress.TimeRemainingColumn(table_column=whole),
                console=Console(file=self._stderr), auto_refresh=False)
            self._bar.add_task('')
        self._bar.update(
            self._bar.task_ids[0], completed=self._done, total=self._total,
            description=(self._name if self._begun == 1
                         else f'{self._ended} of {self._begun} copies'))
        with self._bar.console.capture() as captured:
            self._bar.console.print(self._bar.get_renderable(), end='')
        return captured.get().rstrip('\n')

    def _write(self, text: str) -> None:
        if not self._quiet:
            self._stderr.write(text)
            self._stderr.flush()

    def _give_way(self, record: logging.LogRecord) -> bool:
        """Leave the terminal to a message."""
        self.hide()
        return True
