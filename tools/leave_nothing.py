#!/usr/bin/env python3
"""Run a command that leaves nothing behind, however it or this ends.

    tools/leave_nothing.py <command> ...

When the command has ended, or this process has (SIGTERM, SIGKILL, a closed terminal), all
processes that the command has started are killed, servers in sessions of their own too, and its
folder for temporary files is removed, which TMPDIR names.
"""

import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time

# Of Linux's prctl.
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
# What a signal has in `si_code` that another process has sent, and not a terminal.
SI_USER = 0


class Ended(BaseException):
    """The process that waits for the keeper has ended."""


def go_on_in_a_child():
    """Return in a child process, on which a keeper has an eye.

    This process waits for the child, and ends with its exit status. The keeper is between the two.
    Orphans among the child's descendants become its children.
    """
    waiting = os.getpid()
    if keeper := os.fork():
        os._exit(wait(keeper))
    signals = [signal.SIGTERM, signal.SIGINT]
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    for option, value in ((PR_SET_CHILD_SUBREAPER, 1), (PR_SET_PDEATHSIG, signal.SIGTERM)):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
    folder = tempfile.mkdtemp()
    if child := os.fork():
        keep(waiting, child, folder)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
    os.environ['TMPDIR'] = tempfile.tempdir = folder


def wait(keeper):
    """Return the keeper's exit status. Ctrl-C is the child's; another's SIGINT goes to it."""
    signals = [signal.SIGINT, signal.SIGCHLD]
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    while not (ended := os.waitpid(keeper, os.WNOHANG))[0]:
        came = signal.sigwaitinfo(signals)
        if came.si_signo == signal.SIGINT and came.si_code == SI_USER:
            os.kill(keeper, signal.SIGINT)
    return os.waitstatus_to_exitcode(ended[1])


def keep(waiting, child, folder):
    """Wait for the child or for the end of what waits; then clear up."""
    # What is sent to the child's group, or to its terminal, is not for this process.
    os.setsid()
    status = 128 + signal.SIGTERM

    def end(*_):
        raise Ended

    try:
        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, lambda *_: os.kill(child, signal.SIGINT))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM, signal.SIGINT])
        while os.getppid() == waiting:
            pid, ended = os.wait()
            if pid == child:
                status = os.waitstatus_to_exitcode(ended)
                break
    except Ended:
        pass
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
    with contextlib.suppress(ChildProcessError):
        while True:
            kill_children()
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
            time.sleep(0.01)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(status if status >= 0 else 128 - status)


def kill_children():
    """Kill the children of this process; their children are its own then."""
    for stat in pathlib.Path('/proc').glob('[0-9]*/stat'):
        with contextlib.suppress(OSError):
            _, parent = stat.read_text().rpartition(')')[2].split()[:2]
            if int(parent) == os.getpid():
                os.kill(int(stat.parent.name), signal.SIGKILL)


if __name__ == '__main__':
    if len(sys.argv) == 1:
        sys.exit(__doc__)
    go_on_in_a_child()
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606
