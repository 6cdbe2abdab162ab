"""Break osc_imgurl/ at random, one place at a time, and see whether a test fails.

    .venvs/client/bin/python tools/mutate.py                all folders of osc_imgurl/
    .venvs/client/bin/python tools/mutate.py cache swift    these; '.' means the modules in none

Each change (of a comparison, a constant, a condition, a return value, a statement) is made in a
copy of the checkout. The folder's own unit tests run, the quickest first; all others only where
those catch too few. Prints the changes that no test catches, and a row for each folder. The exit
status is 1 if one of them is below the goal.
"""

import argparse
import ast
import concurrent.futures
import contextlib
import dataclasses
import itertools
import json
import logging
import multiprocessing
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = 'osc_imgurl'
# What builds the manual, mutates, reads the code without running it, and runs mypy is ignored.
UNIT = ('tests/unit', *(f'--ignore=tests/unit/test_{name}.py'
                        for name in ('manual', 'mutate', 'rooms', 'typing')))
# A change may well make a list that grows for ever.
MOST_MEMORY = 2**33
# The longer of two that begin alike comes first.
SWAPS = {'is not': 'is', 'not in': 'in', 'is': 'is not', 'in': 'not in', 'and': 'or', 'or': 'and',
         '==': '!=', '!=': '==', '<=': '<', '>=': '>', '<': '<=', '>': '>=', '+': '-', '-': '+',
         '**': '*', '//': '*', '*': '//', '/': '*', '|': '&', '&': '|'}
OPERATOR = re.compile('|'.join(map(re.escape, SWAPS)).encode())
# A negated comparison of these kinds is a swapped one.
NEGATED = ast.Eq | ast.NotEq | ast.Is | ast.IsNot | ast.In | ast.NotIn
# What does not matter when the code runs.
IDLE_FIELDS = ('annotation', 'returns', 'decorator_list')
IDLE = re.compile(rb'"""|LOG\.debug\(|__all__ = |import |from |if TYPE_CHECKING:|\w+ = TypeVar\(')


@dataclasses.dataclass(frozen=True)
class Change:
    """A text in place of some bytes of a file."""

    path: pathlib.Path
    start: int
    end: int
    text: str

    def apply(self, source):
        return source[:self.start] + self.text.encode() + source[self.end:]

    def __str__(self):
        source = (ROOT / self.path).read_bytes()
        first = source.rfind(b'\n', 0, self.start) + 1
        last = source.find(b'\n', self.end)
        before = source[first:last]
        after = self.apply(source)[first:last + len(self.text.encode()) - self.end + self.start]
        line = source.count(b'\n', 0, self.start) + 1
        return f'{self.path}:{line}: ' + ' -> '.join(
            ' '.join(each.decode().split()) for each in (before, after))


def other(value):
    """Return another constant; None where that is a text for people: it has a space or a ``<``."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, bytes):
        return b'XX' + value
    return f'XX{value}' if isinstance(value, str) and not {*' <'} & {*value} else None


class Source:
    """A file's text, and what can be changed in it."""

    def __init__(self, path):
        self.path = path
        self.text = (ROOT / path).read_bytes()
        lines = self.text.splitlines(keepends=True)
        self.lines = [0, *itertools.accumulate(map(len, lines))]

    def changes(self):
        """Yield all single changes."""
        for node in self.nodes(ast.parse(self.text)):
            for start, end, text in (*self.replaced(node), *self.swapped(node),
                                     *self.negated(node)):
                yield Change(self.path, start, end, text)

    def span(self, node):
        return (self.lines[node.lineno - 1] + node.col_offset,
                self.lines[node.end_lineno - 1] + node.end_col_offset)

    def nodes(self, node):
        """Yield a node and those below it that matter; those in an f-string have no place."""
        yield node
        for field, value in ast.iter_fields(node):
            for child in value if isinstance(value, list) else [value]:
                if (isinstance(child, ast.AST) and field not in IDLE_FIELDS
                        and not isinstance(child, ast.JoinedStr)
                        and not (isinstance(child, ast.stmt)
                                 and IDLE.match(self.text, self.span(child)[0]))):
                    yield from self.nodes(child)

    def replaced(self, node):
        match node:
            case ast.Constant(value=value) if (text := other(value)) is not None:
                yield *self.span(node), repr(text)
            case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
                yield *self.span(value), 'None'
            case ast.Expr(value=ast.Call()) | ast.Raise() | ast.AugAssign():
                yield *self.span(node), 'pass'
            case ast.Continue():
                yield *self.span(node), 'break'
            case ast.Break():
                yield *self.span(node), 'continue'

    def swapped(self, node):
        match node:
            case ast.Compare():
                operands = [node.left, *node.comparators]
            case ast.BinOp():
                operands = [node.left, node.right]
            case ast.BoolOp():
                operands = node.values
            case _:
                operands = []
        for left, right in itertools.pairwise(operands):
            if operator := OPERATOR.search(self.text, self.span(left)[1], self.span(right)[0]):
                yield *operator.span(), SWAPS[operator[0].decode()]

    def negated(self, node):
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            start = self.span(node)[0]
            yield start, start + len('not'), ''
        for test in getattr(node, 'ifs', [node.test] if hasattr(node, 'test') else []):
            if not (isinstance(test, ast.UnaryOp)
                    or (isinstance(test, ast.Compare) and isinstance(test.ops[0], NEGATED))):
                start, end = self.span(test)
                yield start, end, f'not ({self.text[start:end].decode()})'


def modules(folder):
    base = ROOT / PACKAGE / folder
    return [path.relative_to(ROOT)
            for path in sorted(base.glob('*.py') if folder == '.' else base.rglob('*.py'))]


def own_tests(folder):
    """Return what pytest takes to run a folder's unit tests and doctests."""
    tests = ROOT.glob('tests/unit/' + ('test_*.py' if folder == '.' else folder))
    names = [str(path.relative_to(ROOT)) for path in sorted(tests)]
    return (*(name for name in names if f'--ignore={name}' not in UNIT),
            *map(str, modules(folder)))


def prepare(scratch):
    """Make this process a copy of the checkout, and import what is not ours, once."""
    copy = pathlib.Path(tempfile.mkdtemp(dir=scratch))
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns('.*'), dirs_exist_ok=True)
    (copy / '.venvs').symlink_to(ROOT / '.venvs')
    os.chdir(copy)
    sys.path.insert(0, str(copy))
    # The tests go on in a process of their own where they are no worker.
    os.environ.update(HOME=scratch, TMPDIR=scratch, PYTHONPATH=str(copy),
                      PYTHONDONTWRITEBYTECODE='1', PYTEST_XDIST_WORKER='gw0')
    tempfile.tempdir = None
    with open(os.devnull, 'w') as null, contextlib.redirect_stdout(null):
        pytest.main(['--collect-only', '-p', 'no:cacheprovider', *UNIT])
    for name, module in [*sys.modules.items()]:
        if (getattr(module, '__file__', None) or '').startswith(str(copy)):
            del sys.modules[name]
    # They have the filters of the modules that are gone.
    for name in [*logging.root.manager.loggerDict]:
        if name.startswith(PACKAGE):
            del logging.root.manager.loggerDict[name]
    sys.dont_write_bytecode = True


class QuickestFirst:
    """Has pytest run the quickest tests first, by what a first run has written into a file."""

    def __init__(self, path):
        self.path = path
        self.known = json.loads(path.read_text()) if path.exists() else {}
        self.seconds = {}

    def pytest_collection_modifyitems(self, items):
        items.sort(key=lambda item: self.known.get(item.nodeid, 0))

    def pytest_runtest_logreport(self, report):
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0) + report.duration

    def pytest_sessionfinish(self):
        if not self.known:
            self.path.write_text(json.dumps(self.seconds))


def run(tests, limit=3600):
    """Run tests in a child; return whether they pass, and the seconds that they take."""
    started = time.monotonic()
    child = os.fork()
    if not child:
        status = 1
        try:
            os.setsid()
            signal.alarm(limit)
            resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
            for stream in (1, 2):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
            status = pytest.main(
                ['-qx', '-p', 'no:cacheprovider', '--hypothesis-seed=0', *tests],
                [QuickestFirst(pathlib.Path(tempfile.gettempdir(), f'{hash(tests)}.json'))])
        finally:
            os._exit(status)
    try:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
    passed = status in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    return passed, time.monotonic() - started


def survives(change, tests, limit):
    """Say whether tests pass with a change, within so many seconds."""
    source, stat = change.path.read_bytes(), change.path.stat()
    try:
        change.path.write_bytes(change.apply(source))
        # The bytecode of before is of another time, so that it is not taken.
        os.utime(change.path, (1, 1))
        return run(tests, limit)[0]
    finally:
        change.path.write_bytes(source)
        os.utime(change.path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def limits(pool, steps):
    """Return the time limit of each, in seconds; it must pass as the code is."""
    for tests, (passed, seconds) in zip(steps, pool.map(run, steps), strict=True):
        if not passed:
            sys.exit(f'Before anything is changed, this fails: pytest {" ".join(tests)}')
        yield tests, int(10 + 4 * seconds)


def main():
    folders = ['.', *sorted(path.parent.name for path in ROOT.glob(f'{PACKAGE}/*/__init__.py'))]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('folders', nargs='*', default=folders, metavar='<folder>')
    parser.add_argument('--number', type=int, default=40, help='of changes in each folder')
    parser.add_argument('--seed', type=int, default=0, help='another picks other changes')
    parser.add_argument('--jobs', type=int, default=os.cpu_count(), help='how many run at once')
    parser.add_argument('--goal', type=int, default=90, help='how many of 100 are to be caught')
    parser.add_argument('--also', metavar='<test>', action='append', default=[],
                        help='run this too where unit tests catch too few, such as a functional'
                             ' test')
    options = parser.parse_args()
    own = {folder: own_tests(folder) for folder in options.folders}
    others = [UNIT, *((test,) for test in options.also)]
    rows = []
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ProcessPoolExecutor(
            options.jobs, multiprocessing.get_context('fork'), prepare, (scratch,)) as pool:
        limit = dict(limits(pool, [*own.values()]))
        for folder in options.folders:
            every = [change for path in modules(folder) for change in Source(path).changes()]
            picked = left = random.Random(f'{options.seed} {folder}').sample(  # noqa: S311
                every, min(options.number, len(every)))
            for tests in (own[folder], *others):
                if 100 * len(left) > (100 - options.goal) * len(picked):
                    if tests not in limit:
                        limit |= limits(pool, [tests])
                    survived = pool.map(survives, left, itertools.repeat(tests),
                                        itertools.repeat(limit[tests]))
                    left = [*itertools.compress(left, survived)]
            print(*left, sep='\n', end='\n' * bool(left), flush=True)
            rows.append((folder, len(picked), len(picked) - len(left)))
    print('folder      changes   caught  percent')
    for folder, number, caught in rows:
        print(f'{folder:10}  {number:7}  {caught:7}  {100 * caught / number:7.0f}')
    return int(any(100 * caught < options.goal * number for _, number, caught in rows))


if __name__ == '__main__':
    sys.exit(main())
