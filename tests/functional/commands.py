"""Runs ``openstack`` in this process, as a user does in one of its own.

What a process of its own has beside is not here: its start, what the interpreter reads from the
environment then, signals, and others that run at the same time. Tests of these start one.
"""

import contextlib
import importlib
import io
import json
import locale
import logging
import os
import pathlib
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings

import cliff.app
import openstack.config.loader
from openstackclient.shell import OpenStackShell
from osc_lib.clientmanager import ClientCache, ClientManager

from osc_imgurl import errors

OPENSTACK = pathlib.Path(sys.executable).parent / 'openstack'
ENVIRONMENT = {'PATH': os.environ['PATH'], 'LANG': 'C.UTF-8'}
# cliff takes it from the program that has imported it.
cliff.app.App.NAME = 'openstack'
# What stands for the program in a shell: it has its caller run the command, but for one that reads
# from a pipe, and so waits for another.
STAND_IN = """#!{python} -IS
import json, os, socket, stat, sys
if stat.S_ISFIFO(os.fstat(0).st_mode):
    os.execv({program!r}, sys.argv)
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as caller:
    caller.connect({address!r})
    socket.send_fds(caller, [json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()],
                    [0, 1, 2])
    sys.exit(int(caller.recv(100)))
"""
LARGEST_MESSAGE = 2**20


def start(arguments, *, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options):
    """Start a command in a true process, which SIGINT ends wherever these tests were started."""
    return subprocess.Popen(
        ['env', '--default-signal=INT', OPENSTACK, *arguments], stdin=subprocess.DEVNULL,
        stdout=stdout, stderr=stderr, text=True, **options)


def run(arguments, *, cwd, env, stdin=''):
    """Run a command to its end, and return what it has printed and its exit status."""
    files = [io.BytesIO(stdin.encode()), io.BytesIO(), io.BytesIO()]
    code = call(arguments, cwd, env, files)
    return subprocess.CompletedProcess(
        arguments, code, *(file.getvalue().decode() for file in files[1:]))


def call(arguments, cwd, env, files):
    """Run a command on binary files for its streams; return its exit status."""
    errors = 'strict', 'strict', 'backslashreplace'
    streams = [io.TextIOWrapper(file, encoding='utf-8', errors=policy, write_through=True)
               for file, policy in zip(files, errors, strict=True)]
    forget()
    with in_place(cwd, env), own_logging(), warnings.catch_warnings(), own_streams(*streams):
        sys.argv[:] = ['openstack', *map(str, arguments)]
        try:
            return OpenStackShell().run(sys.argv[1:])
        except SystemExit as end:
            if not isinstance(end.code, str):
                return end.code or 0
            print(end.code, file=sys.stderr)
        except Exception:
            traceback.print_exc()
        finally:
            for stream in streams:
                stream.detach()
        return 1


def forget():
    """Begin as a new process does: without the clients and the secrets of the last command."""
    errors._secrets.clear()
    for cached in vars(ClientManager).values():
        if isinstance(cached, ClientCache):
            cached._handle = None


@contextlib.contextmanager
def in_place(cwd, env):
    """Be in a folder, with an environment; what is read from it at the start is read anew."""
    assert threading.current_thread() is threading.main_thread(), 'one command at a time'
    before = pathlib.Path.cwd(), dict(os.environ), locale.setlocale(locale.LC_ALL), sys.argv[:]

    def change(folder, variables):
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(variables)
        time.tzset()

    change(cwd, env)
    # The user's and the working directory are looked up when it is imported.
    importlib.reload(openstack.config.loader)
    try:
        yield
    finally:
        change(*before[:2])
        locale.setlocale(locale.LC_ALL, before[2])
        sys.argv[:] = before[3]


@contextlib.contextmanager
def own_streams(*streams):
    names = 'stdin', 'stdout', 'stderr'
    before = [getattr(sys, name) for name in names]
    try:
        for name, stream in zip(names, streams, strict=True):
            setattr(sys, name, stream)
        yield
    finally:
        for name, stream in zip(names, before, strict=True):
            setattr(sys, name, stream)


@contextlib.contextmanager
def own_logging():
    """Begin without the handlers of others, and put back what the command has changed."""
    known = [logging.getLogger()] + [
        log for log in logging.root.manager.loggerDict.values() if isinstance(log, logging.Logger)]
    before = [(log, log.level, log.propagate, log.disabled, log.handlers[:], log.filters[:])
              for log in known]
    logging.root.handlers[:] = []
    try:
        yield
    finally:
        for log, level, log.propagate, log.disabled, log.handlers[:], log.filters[:] in before:
            # What each logger has found to be logged is forgotten then.
            if log.level != level:
                log.setLevel(level)


def shell(bash, commands, *, folder, cwd, env):
    """Have a shell run commands, whose ``openstack`` this process runs, one at a time.

    What stands for that program is put into the folder; a true one reads from pipes.
    """
    with (socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening,
          tempfile.TemporaryFile('w+') as stdout, tempfile.TemporaryFile('w+') as stderr):
        listening.bind('')
        listening.listen()
        program = folder / 'openstack'
        program.write_text(STAND_IN.format(
            python=sys.executable, program=str(OPENSTACK), address=listening.getsockname()))
        program.chmod(0o755)
        process = subprocess.Popen(
            [bash, '-e', '-c', commands], cwd=cwd, stdin=subprocess.DEVNULL, stdout=stdout,
            stderr=stderr, env={**env, 'PATH': f'{folder}:{env["PATH"]}'})
        with open(os.pidfd_open(process.pid), 'rb', buffering=0) as ended:
            while listening in select.select([listening, ended], [], [])[0]:
                answer(listening)
        process.wait()
        texts = []
        for file in (stdout, stderr):
            file.seek(0)
            texts.append(file.read())
        return subprocess.CompletedProcess(commands, process.returncode, *texts)


def answer(listening):
    """Run the command that the next caller names, on its streams."""
    with listening.accept()[0] as caller:
        message, descriptors, *_ = socket.recv_fds(caller, LARGEST_MESSAGE, 3)
        with contextlib.ExitStack() as opened:
            files = [opened.enter_context(open(descriptor, mode))
                     for descriptor, mode in zip(descriptors, ('rb', 'wb', 'wb'), strict=True)]
            code = call(*json.loads(message), files)
        caller.send(str(code).encode())
