# SPDX-License-Identifier: Apache-2.0
"""The progress bar of an image that is copied."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from osc_imgurl.copies.copier import Progress, no_progress
from osc_imgurl.errors import printable
from osc_imgurl.glance.image import Image

# Of an image, in columns: the rest of a narrow terminal is the bar's.
LONGEST_NAME = 24


def bar(stderr: TextIO) -> Progress:
    """Return what draws a bar (bytes, rate, time left) on a terminal, and nothing elsewhere."""
    if not stderr.isatty():
        return no_progress

    @contextlib.contextmanager
    def draw(image: Image) -> Iterator[Callable[[int], None]]:
        # Takes a while to import, and no other URL needs it.
        from rich import progress, table
        from rich.console import Console

        def whole(**options: Any) -> table.Column:
            return table.Column(no_wrap=True, **options)

        with progress.Progress(
                progress.TextColumn('{task.description}', markup=False, table_column=whole(
                    max_width=LONGEST_NAME)),
                progress.BarColumn(),
                progress.DownloadColumn(table_column=whole()),
                progress.TransferSpeedColumn(table_column=whole()),
                progress.TimeRemainingColumn(table_column=whole()), console=Console(file=stderr),
                transient=True) as drawn:
            task = drawn.add_task(printable(image.name or image.id), total=image.size)
            yield lambda done: drawn.update(task, completed=done)

    return draw
