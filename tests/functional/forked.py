"""Runs Python programs as subprocess does, without what it costs to start each of them.

Run as a program this is a fork server: it has imported what OpenStackClient imports whenever it
starts, its shell and its commands, and nothing of ours; and it forks a child for each program that
it is asked to run. The rest of the file asks it.
A child differs from a true process in what is read before its program begins: the interpreter,
its options and its locale, OpenStackClient's modules, and the seed of Python's hashes.
"""

import contextlib
import functools
import gc
import importlib.metadata
import json
import os
import pathlib
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

LARGEST_MESSAGE = 2**20
# What Python reads from the environment when it starts.
READ_AT_START = ('PYTHON', 'LANG', 'LC_')
ENVIRONMENT = {'PATH': os.environ['PATH'], 'LANG': 'C.UTF-8'}


class ForkServerError(Exception):
    pass


class Child:
    """A running program, as ``subprocess.Popen`` has it."""

    def __init__(self, pid, server, answer, stdout, stderr):
        self.pid = pid
        self.returncode = None
        self._server = server
        self._answer = answer
        self._files = stdout, stderr

    def wait(self):
        """Return the exit status, or the number of the signal that ended it, negative."""
        if self.returncode is None:
            with self._answer:
                self.returncode = int(self._server.receive(self._answer))
        return self.returncode

    def communicate(self):
        """Return what it printed, once it has ended; nothing of a stream that was given."""
        self.wait()
        texts = []
        for file in self._files:
            texts.append('')
            if file:
                with file:
                    file.seek(0)
                    texts[-1] = file.read()
        return tuple(texts)


class ForkServer:
    def __init__(self):
        self.home = tempfile.TemporaryDirectory()
        self.log = tempfile.TemporaryFile('w+')  # noqa: SIM115  (closed in `stop`)
        self.control, control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with control:
            self.process = subprocess.Popen(
                [sys.executable, __file__, str(control.fileno())], stdin=subprocess.DEVNULL,
                stdout=self.log, stderr=self.log, pass_fds=[control.fileno()],
                env={**ENVIRONMENT, 'HOME': self.home.name})

    def receive(self, answer):
        if received := answer.recv(100):
            return received
        self.log.seek(0)
        raise ForkServerError(f'The fork server has ended: {self.log.read()}')

    def start(self, program, arguments, *, cwd, env, stdin, stdout=None, stderr=None):
        def read(variables):
            return {name: value for name, value in variables.items()
                    if name.startswith(READ_AT_START)}

        if read(env) != read(ENVIRONMENT):
            raise ForkServerError(f'Only a true process can have {read(env)}: Python reads it when'
                                  f' it starts, and the fork server did with {read(ENVIRONMENT)}')
        request = json.dumps({'argv': [str(program), *map(str, arguments)], 'cwd': str(cwd),
                              'env': env})
        files = [tempfile.TemporaryFile('w+', encoding='utf-8')  # noqa: SIM115  (the child's)
                 if stream is None else None for stream in (stdout, stderr)]
        answer, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            streams = (stdin, files[0] or stdout, files[1] or stderr, theirs)
            # Where nobody reads the request, nobody answers, and that is the error.
            with contextlib.suppress(BrokenPipeError):
                socket.send_fds(self.control, [request.encode()],
                                [stream if isinstance(stream, int) else stream.fileno()
                                 for stream in streams])
        return Child(int(self.receive(answer)), self, answer, *files)

    def stop(self):
        """End the server, and what it still runs."""
        self.control.close()
        self.process.wait()
        self.log.close()
        self.home.cleanup()


@functools.cache
def server():
    return ForkServer()


def start(command, *, cwd, env, stdin='', stdout=None, stderr=None):
    """Start a program, which is a Python script and its arguments.

    Standard input is a short text. A file or a descriptor takes a stream; what is printed to
    others ``communicate`` returns.
    """
    program, *arguments = command
    reader, writer = os.pipe()
    try:
        # More than a pipe holds is an error, for nobody reads yet.
        os.set_blocking(writer, False)
        text = stdin.encode()
        if os.write(writer, text) != len(text):
            raise ForkServerError(f'{len(text)} bytes are too many for the standard input')
        os.close(writer)
        writer = None
        return server().start(program, arguments, cwd=cwd, env=env, stdin=reader, stdout=stdout,
                              stderr=stderr)
    finally:
        os.close(reader)
        if writer is not None:
            os.close(writer)


def run(command, **options):
    """Run a program to its end; the options are those of ``start``."""
    child = start(command, **options)
    stdout, stderr = child.communicate()
    return subprocess.CompletedProcess(command, child.returncode, stdout, stderr)


def stand_in(program):
    """Return a script that asks the server to run a program on the script's own streams.

    It runs where ``server().control`` is passed on, as in ``subprocess.run(..., pass_fds=...)``.
    """
    return f"""#!{sys.executable} -IS
import json, os, socket, sys
answer, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
request = json.dumps({{'argv': [{str(program)!r}, *sys.argv[1:]], 'cwd': os.getcwd(),
                      'env': dict(os.environ)}})
with theirs, socket.socket(fileno={server().control.fileno()}) as control:
    socket.send_fds(control, [request.encode()], [0, 1, 2, theirs.fileno()])
answer.recv(100)
sys.exit(int(answer.recv(100)))
"""


def stop():
    """Stop the server, if there is one."""
    if server.cache_info().currsize:
        server().stop()
        server.cache_clear()


# The server's side

def serve(control):
    """Fork for each request; return in the children only, with the request and its streams."""
    children = {}
    poll = select.poll()
    poll.register(control, select.POLLIN)
    while True:
        for ready, _ in poll.poll():
            if ready in children:
                pid, answer = children.pop(ready)
                poll.unregister(ready)
                os.close(ready)
                code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                # Who started it may have no interest in how it ends.
                with contextlib.suppress(BrokenPipeError):
                    os.write(answer, b'%d' % code)
                os.close(answer)
                continue
            message, descriptors, _, _ = socket.recv_fds(control, LARGEST_MESSAGE, 4)
            if not message:
                for pid, _ in children.values():
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                os._exit(0)
            pid = os.fork()
            if not pid:
                # Its descriptor is closed with all others, and may be another's then.
                control.detach()
                return json.loads(message), descriptors[:3]
            *streams, answer = descriptors
            for stream in streams:
                os.close(stream)
            os.write(answer, b'%d' % pid)
            ended = os.pidfd_open(pid)
            children[ended] = pid, answer
            poll.register(ended, select.POLLIN)


def become(interrupted, request, streams):
    """Make this child what a new process is, and return its program."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, os.sysconf('SC_OPEN_MAX'))
    sys.stdout.reconfigure(line_buffering=os.isatty(1))
    os.chdir(request['cwd'])
    os.environ.clear()
    os.environ.update(request['env'])
    time.tzset()
    signal.signal(signal.SIGINT, interrupted)
    sys.argv = request['argv']
    sys.path[0] = str(pathlib.Path(sys.argv[0]).parent)
    # It looks up the user's and the working directory when it is imported.
    importlib.reload(sys.modules['openstack.config.loader'])
    return sys.argv[0]


if __name__ == '__main__':
    # The terminal's Ctrl-C is for the tests; they end the server.
    interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)
    _, requests = sys.argv
    # The shell takes its name from here, and modules are looked for beside it, not beside this.
    sys.argv = [str(pathlib.Path(sys.executable).with_name('openstack'))]
    sys.path[0] = str(pathlib.Path(sys.executable).parent)
    for entry in importlib.metadata.distribution('python-openstackclient').entry_points:
        importlib.import_module(entry.module)
    # The parser of the first command has cliff look up which distribution each module is of.
    sys.modules['openstackclient.common.module'].ListCommand(None, None).get_parser('')
    # When a child ends, nothing that it shares with the server is looked through, and so copied.
    gc.collect()
    gc.freeze()
    program = become(interrupted, *serve(socket.socket(fileno=int(requests))))
    runpy.run_path(program, run_name='__main__')
