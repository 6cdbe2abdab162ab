"""However a run of the tests ends, its servers and its folder end with it."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from .conftest import ROOT

# In seconds.
LONGEST = 5
# A test with a cloud, and with a process in a session of its own; it waits to be killed.
TEST = """
import json, os, pathlib, subprocess, time
from tests.functional.conftest import *

def test_a_cloud(make_cloud, tmp_path):
    made = make_cloud()
    sleeping = subprocess.Popen(['setsid', 'sleep', '600'])
    pids = [json.loads(record.read_text())['pid'] for record in (made.folder / 'run').iterdir()]
    pathlib.Path('begin').write_text(json.dumps([tempfile.gettempdir(), sleeping.pid, *pids]))
    pathlib.Path('begin').rename('begun')
    time.sleep(600)
"""


def alive(pid):
    try:
        return pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return False


def gone(folder, pids):
    return not any(map(alive, pids)) and not pathlib.Path(folder).exists()


def wait_until(true, seconds):
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_killed(tmp_path, number):
    begun = tmp_path / 'begun'
    (tmp_path / 'conftest.py').write_text('from tests.conftest import *\n')
    (tmp_path / 'test_it.py').write_text(TEST)
    run = subprocess.Popen(
        [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', '-n', '2', 'test_it.py'],
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if 'PYTEST' not in name}
        | {'PYTHONPATH': f'{ROOT}:{ROOT}/tools'})
    assert wait_until(begun.exists, 120)
    folder, *pids = json.loads(begun.read_text())
    assert pathlib.Path(folder).exists() and all(map(alive, pids)) and len(pids) > 6
    run.send_signal(number)
    run.wait()
    assert wait_until(lambda: gone(folder, pids), LONGEST)


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_a_command_that_is_killed(number):
    run = subprocess.Popen(
        ['env', '--default-signal=HUP', sys.executable, ROOT / 'tools/leave_nothing.py', 'sh', '-c',
         'setsid sleep 600 & echo "$TMPDIR" $! $$; wait'], stdout=subprocess.PIPE, text=True)
    folder, *pids = run.stdout.readline().split()
    assert pathlib.Path(folder).exists() and all(map(alive, pids))
    run.send_signal(number)
    run.wait()
    assert wait_until(lambda: gone(folder, pids), LONGEST)


def test_the_exit_status_and_a_signal_that_is_passed_on(tmp_path):
    program = [sys.executable, ROOT / 'tools/leave_nothing.py']
    assert subprocess.run([*program, 'sh', '-c', 'exit 3'], check=False).returncode == 3
    assert subprocess.run([*program, 'sh', '-c', 'kill -9 $$'], check=False).returncode == 137
    run = subprocess.Popen(['env', '--default-signal=INT', *program, 'sh', '-c',
                            'echo "$TMPDIR"; exec sleep 600'], stdout=subprocess.PIPE, text=True)
    folder = pathlib.Path(run.stdout.readline().strip())
    assert folder.exists()
    run.send_signal(signal.SIGINT)
    assert run.wait() == 130 and not folder.exists()
