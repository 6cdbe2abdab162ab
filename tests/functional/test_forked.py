"""What the fork server runs does and prints the same as a true process."""

import json
import os
import signal
import subprocess
import sys

import pytest

from . import forked
from .conftest import OPENSTACK

KEY = 'a key'
URL = ('https://swift.example.com/v1/AUTH_x/glance/3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5'
       '?temp_url_sig=5a1f6de093c44b44bf4f9a3b3aa2c6c55a1f6de093c44b44bf4f9a3b3aa2c6c5'
       '&temp_url_expires=1000000000')
SHOW = ['image', 'temp', 'url', 'show', '-f', 'json', '-c', 'account', '-c', 'signature']
CREATE = ['--os-auth-type', 'none', 'image', 'temp', 'url', 'create', 'cirros']
CLOUDS = 'clouds: {%s: {auth_type: none, endpoint: "http://127.0.0.1:1", region_name: %s}}'
SHOW_CLOUD = ['configuration', 'show', '-f', 'json']
# What a program finds when it begins.
STATE = """
import os, sys, threading
before = sorted(sys.modules)
import gc, json, locale, logging, resource, signal, time
import openstack.config.loader as loader
streams = [[stream.encoding, stream.errors, stream.line_buffering, stream.isatty(), stream.name,
            stream.mode, stream.newlines] for stream in (sys.stdin, sys.stdout, sys.stderr)]
mask = os.umask(0)
json.dump({
    'argv': sys.argv, 'path': sys.path, 'name': __name__, 'file': __file__, 'cwd': os.getcwd(),
    'environment': dict(os.environ), 'seen by a child': os.popen('env | grep -v ^_= | sort').read(),
    'streams': streams, 'threads': len(threading.enumerate()), 'mask': mask,
    'descriptors': sorted(os.listdir('/proc/self/fd')), 'parents': os.getpgid(0) == os.getpgid(
        os.getppid()), 'session': os.getsid(0), 'nice': os.nice(0),
    'signals': {each.name: str(signal.getsignal(each)).partition(' at ')[0]
                for each in signal.valid_signals() if isinstance(each, signal.Signals)},
    'blocked': sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    'limits': {name: resource.getrlimit(getattr(resource, name))
               for name in dir(resource) if name.startswith('RLIMIT_')},
    'locale': [locale.setlocale(locale.LC_ALL), locale.getpreferredencoding()],
    'time zone': time.tzname, 'handlers': str(logging.root.handlers), 'level': logging.root.level,
    'flags': str(sys.flags), 'executable': sys.executable, 'recursion': sys.getrecursionlimit(),
    'excepthook': sys.excepthook is sys.__excepthook__, 'collector': [gc.isenabled(),
                                                                      gc.get_threshold()],
    'searched': loader.CONFIG_FILES}, sys.stdout)
"""
# What a command has imported when it ends, beside OpenStackClient itself.
IMPORTED = """
import sys
import openstackclient.shell
try:
    openstackclient.shell.main(sys.argv[1:])
finally:
    print(*(sorted(name for name in sys.modules if not name.startswith('openstackclient.'))))
"""


@pytest.fixture
def both(tmp_path):
    """Return a function that runs a command in both ways, and what it does in each."""
    (tmp_path / 'key').write_text(KEY)
    (tmp_path / 'key').chmod(0o600)

    def run(*command, stdin='', **env):
        env = {'PATH': os.environ['PATH'], 'HOME': str(tmp_path), 'LANG': 'C.UTF-8', **env}
        true = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False,
                              cwd=tmp_path, env=env)
        child = forked.run(command, stdin=stdin, cwd=tmp_path, env=env)
        return [(done.returncode, done.stdout, done.stderr) for done in (true, child)]

    return run


@pytest.fixture
def script(tmp_path):
    """Return a function that writes a program of the same Python, and what runs it."""
    def write(text):
        path = tmp_path / 'program'
        path.write_text(f'#!{sys.executable}\n{text}')
        path.chmod(0o700)
        return path
    return write


@pytest.mark.parametrize(('command', 'code', 'stdin'), [
    ([*SHOW, URL, '--key-file', 'key'], 0, ''),
    ([*SHOW, '-', '--key-file', 'key'], 0, URL),
    ([*SHOW, 'cirros'], 1, ''),
    (['--debug', *SHOW, URL, '--key-file', 'key'], 0, ''),
    (['--debug', *SHOW, 'cirros'], 1, ''),
    ([*SHOW, '--no-such-option'], 2, ''),
    (['image', 'temp', 'url', 'create', '--help'], 0, ''),
])
def test_the_same_output(both, command, code, stdin):
    true, child = both(OPENSTACK, *command, stdin=stdin)
    assert true[0] == code and true[1] + true[2]
    if command[0] == '--debug':
        # OpenStackClient prints its options in the order of a set, another in each interpreter.
        true, child = ((*done[:2], [sorted(line.split(' ')) for line in done[2].splitlines()])
                       for done in (true, child))
    assert child == true


def test_the_same_clouds_yaml_is_found(both, tmp_path):
    """In the user's folder and in the working directory, both other than the server's."""
    user = tmp_path / '.config/openstack'
    user.mkdir(parents=True)
    (user / 'clouds.yaml').write_text(CLOUDS % ('mine', 'here'))
    true, child = both(OPENSTACK, *SHOW_CLOUD, OS_CLOUD='mine')
    assert child == true and json.loads(true[1])['region_name'] == 'here'
    (tmp_path / 'clouds.yaml').write_text(CLOUDS % ('mine', 'nearer'))
    true, child = both(OPENSTACK, *SHOW_CLOUD, OS_CLOUD='mine')
    assert child == true and json.loads(true[1])['region_name'] == 'nearer'


def test_a_program_finds_the_same(both, script):
    true, child = (json.loads(stdout) for _, stdout, _ in both(
        script(STATE), 'an argument', '', TZ='Asia/Tokyo', WHICH='a variable'))
    assert child['time zone'] == ['JST', 'JST']
    assert child == true


@pytest.mark.parametrize('command', [[*SHOW, URL], CREATE])
def test_the_same_is_imported(both, script, command):
    """Beside what the server needs for itself, and all formats in place of the one in use."""
    true, child = (set(stdout.splitlines()[-1].split()) for _, stdout, _ in both(
        script(IMPORTED), *command))
    assert true <= child
    more = {name for name in child - true if not name.startswith('cliff.formatters.')}
    assert more <= {'gc', 'runpy'}
    assert any(name.startswith('osc_imgurl') for name in true)


def test_chance_is_not_shared(both, script, tmp_path):
    program = script('import random, secrets, tempfile, uuid\n'
                     'print(random.random(), secrets.token_hex(), uuid.uuid4(),'
                     ' next(tempfile._get_candidate_names()))')
    drawn = [number for _ in range(2) for _, stdout, _ in both(program)
             for number in stdout.split()]
    assert len(set(drawn)) == 16


@pytest.mark.parametrize('text', [
    'import sys; sys.exit(3)',
    'import sys; sys.exit("a message")',
    'import os; print("lost"); os._exit(7)',
    'import os, signal; os.kill(os.getpid(), signal.SIGTERM)',
    'import os, signal; os.kill(os.getpid(), signal.SIGKILL)',
    'import os, signal; print("lost"); os.abort()',
    'import atexit; atexit.register(print, "at last"); print("first")',
    'import threading, time\n'
    'threading.Thread(target=lambda: (time.sleep(0.2), print("later"))).start()',
    'import sys; sys.stdout.write("no newline"); sys.stderr.write("ünïcödé \\udcff")',
    'import os, sys; os.close(1); sys.stdout.write("nowhere to")',
    'import os, signal; signal.signal(signal.SIGPIPE, signal.SIG_DFL)\n'
    'reader, writer = os.pipe(); os.close(reader); os.write(writer, b"x")',
    'import subprocess; print(subprocess.run(["cat"], capture_output=True, input=b"x"))',
    'import os, sys\nif os.fork(): print(os.wait()[1])\nelse: sys.exit(5)',
])
def test_the_same_end(both, script, text):
    true, child = both(script(text))
    assert child == true


def test_an_interrupt_and_an_exception(both, script):
    """The traceback differs: it begins in the server."""
    # It is ignored where whoever runs the tests ignores it.
    interrupt = ('signal.signal(signal.SIGINT, signal.default_int_handler);'
                 ' os.kill(os.getpid(), signal.SIGINT); time.sleep(60)')
    for text, why in ((interrupt, 'KeyboardInterrupt'),
                      ('raise ValueError("a reason")', 'ValueError: a reason')):
        for code, stdout, stderr in both(script(f'import os, signal, time; {text}')):
            assert (code, stdout) == (-signal.SIGINT if 'kill' in text else 1, '')
            assert stderr.splitlines()[-1] == why


def test_a_signal_from_outside(script, tmp_path):
    child = forked.start([script('import time; time.sleep(60)')], cwd=tmp_path,
                         env=forked.ENVIRONMENT)
    os.kill(child.pid, signal.SIGTERM)
    assert child.communicate() == ('', '') and child.returncode == -signal.SIGTERM


def test_a_reader_that_has_gone(tmp_path):
    ended = []
    for start in (subprocess.Popen, forked.start):
        reader, writer = os.pipe()
        os.close(reader)
        with open(tmp_path / 'log', 'w+') as log:
            process = start([OPENSTACK, *SHOW, URL], cwd=tmp_path, stdout=writer, stderr=log,
                            env={**forked.ENVIRONMENT, 'HOME': str(tmp_path)})
            os.close(writer)
            ended.append((process.wait(), (tmp_path / 'log').read_text()))
    assert ended[0] == ended[1] and ended[0][0] != 0


def test_many_at_once(script, tmp_path):
    """Each gets its own answers, whatever the order in which they end."""
    program = script('import sys, time; _, seconds, number = sys.argv\n'
                     'time.sleep(float(seconds)); print(number); sys.exit(int(number))')
    children = [forked.start([program, str((20 - number) / 100), str(number)], cwd=tmp_path,
                             env=forked.ENVIRONMENT) for number in range(20)]
    for number, child in enumerate(children):
        assert child.communicate() == (f'{number}\n', '') and child.returncode == number


def test_what_only_a_true_process_can_have(tmp_path):
    for name in ('LC_ALL', 'LANGUAGE', 'PYTHONWARNINGS'):
        with pytest.raises(forked.ForkServerError, match=name):
            forked.run([OPENSTACK, '--version'], cwd=tmp_path,
                       env={**forked.ENVIRONMENT, name: 'x'})


def test_a_server_that_has_ended_is_an_error(script, tmp_path):
    """Nothing is run in another way instead; and what it ran ends with it."""
    server = forked.ForkServer()
    with open(os.devnull) as nothing:
        options = {'cwd': tmp_path, 'env': forked.ENVIRONMENT, 'stdin': nothing}
        child = server.start(script('import time; time.sleep(60)'), [], **options)
        server.process.kill()
        server.process.wait()
        with pytest.raises(forked.ForkServerError, match='has ended'):
            child.wait()
        os.kill(child.pid, signal.SIGKILL)
        with pytest.raises(forked.ForkServerError, match='has ended'):
            server.start(OPENSTACK, ['--version'], **options)
        server.stop()
        server = forked.ForkServer()
        child = server.start(script('import time; time.sleep(60)'), [], **options)
        server.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)
