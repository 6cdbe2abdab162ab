"""Servers of local clouds, forked from processes that have imported their modules already.

To import Keystone, Glance and Swift takes most of the time in which a cloud starts. Clouds that
name the same folder share three processes, which start with the first of them. They and their
servers run until they are killed.
Run as a program, on the cloud's own Python, this file is one of the three.
"""

import contextlib
import fcntl
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys

MODULES = {
    'keystone': ('gunicorn.app.wsgiapp', 'gunicorn.workers.gthread', 'keystone.server.wsgi',
                 'keystone.auth.plugins.mapped', 'keystone.token.providers.fernet.core',
                 'keystone.identity.backends.sql', 'dogpile.cache', 'oslo_cache.core'),
    'glance': ('gunicorn.app.wsgiapp', 'gunicorn.workers.gthread', 'glance.common.wsgi_app',
               'glance.api.v2.router', 'glance.db.sqlalchemy.api', 'glance_store._drivers.swift',
               'keystonemiddleware.auth_token', 'keystoneclient.v3.client'),
    'swift': ('swift.proxy.server', 'swift.account.server', 'swift.container.server',
              'swift.obj.server', 'swift.common.ring', 'keystonemiddleware.auth_token',
              'swift.common.middleware.slo')}
LARGEST_MESSAGE = 2**20


def start(folder, kind, command, *, cwd, env, log, inherited=()):
    """Start a server and return its process ID.

    Its command is a Python script, or Python with a script's text.
    """
    folder.mkdir(exist_ok=True)
    address = str(folder / kind)
    with open(folder / 'lock', 'w') as lock, contextlib.ExitStack() as opened:
        fcntl.flock(lock, fcntl.LOCK_EX)
        client = opened.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
        try:
            client.connect(address)
        except OSError:
            with (socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening,
                  open(f'{address}.log', 'ab') as own_log):
                listening.bind(address)
                listening.listen(64)
                subprocess.Popen(
                    [command[0].with_name('python'), __file__, kind, str(listening.fileno())],
                    cwd=folder,
                    stdin=subprocess.DEVNULL, stdout=own_log, stderr=own_log,
                    start_new_session=True, pass_fds=[listening.fileno()])
            client.connect(address)
        fcntl.flock(lock, fcntl.LOCK_UN)
        request = json.dumps({'command': list(map(str, command)), 'cwd': str(cwd), 'env': env})
        socket.send_fds(client, [request.encode()],
                        [log.fileno(), *inherited])
        if answer := client.recv(100):
            return int(answer)
    raise OSError(f'no server was forked; see {address}.log')


def serve(listening):
    """Fork for each request; return in the children only, with what they are to run."""
    # Nobody asks how they end.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        client, _ = listening.accept()
        message, descriptors, *_ = socket.recv_fds(client, LARGEST_MESSAGE, 3)
        if pid := os.fork():
            client.send(b'%d' % pid)
            client.close()
            for descriptor in descriptors:
                os.close(descriptor)
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        listening.close()
        client.close()
        log = descriptors.pop(0)
        for stream in (1, 2):
            os.dup2(log, stream)
        os.close(log)
        return json.loads(message)


def become(request):
    """Run a server, as Python does when it is given a program or its text."""
    os.chdir(request['cwd'])
    os.environ.clear()
    os.environ.update(request['env'])
    program, *sys.argv = request['command']
    if sys.argv[:1] == ['-c']:
        text = sys.argv.pop(1)
        exec(compile(text, '-c', 'exec'), {'__name__': '__main__'})  # noqa: S102
    else:
        sys.argv.insert(0, program)
        runpy.run_path(program, run_name='__main__')


if __name__ == '__main__':
    kind, descriptor = sys.argv[1:]
    sys.argv = [kind]
    for module in MODULES[kind]:
        importlib.import_module(module)
    # What is shared with the children is not looked through, and so not copied.
    gc.collect()
    gc.freeze()
    become(serve(socket.socket(fileno=int(descriptor))))
