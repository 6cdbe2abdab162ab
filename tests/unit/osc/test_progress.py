"""The progress of a copy is drawn on a terminal, and nowhere else."""

import io

from osc_imgurl.osc.progress import bar

from ..stubs import image


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_of_a_copy(monkeypatch):
    monkeypatch.setenv('TERM', 'xterm')
    for stderr in Terminal(), io.StringIO():
        with bar(stderr)(image(name='a\x1b[31m name', size=5)) as draw:
            draw(5)
        assert bool(stderr.getvalue()) == stderr.isatty()
        assert '\x1b[31m name' not in stderr.getvalue()
