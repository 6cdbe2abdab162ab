# SPDX-License-Identifier: Apache-2.0
"""The progress bar of an image that is copied."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TextIO

from osc_imgurl.copies.copier import Progress, no_progress
from osc_imgurl.errors import printable
from osc_imgurl.glance.image import Image


def bar(stderr: TextIO) -> Progress:
    """Return what draws a bar (bytes, rate, time left) on a terminal, and nothing elsewhere."""
    if not stderr.isatty():
        return no_progress

    @contextlib.contextmanager
    def draw(image: Image) -> Iterator[Callable[[int], None]]:
        # Takes a while to import, and no other URL needs it.
        from rich import progress
        from rich.console import Console

        with progress.Progress(
                progress.TextColumn('{task.description}', markup=False), progress.BarColumn(),
                progress.DownloadColumn(binary_units=True), progress.TransferSpeedColumn(),
                progress.TimeRemainingColumn(), console=Console(file=stderr),
                transient=True) as drawn:
            task = drawn.add_task(printable(image.id), total=image.size)
            yield lambda done: drawn.update(task, completed=done)

    return draw
