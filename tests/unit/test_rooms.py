"""The rooms of the library: how large they are, and which way imports point."""

import ast
import graphlib
import pathlib

import osc_imgurl

LIBRARY = pathlib.Path(osc_imgurl.__file__).parent
# From the bottom up; a room imports from those below, and from itself.
FLOORS = [['errors', 'workers'], ['http', 'tempurl'], ['settings'], ['glance', 'swift'],
          ['cache', 'target'], ['copies', 'links'], ['create'], ['check'], ['batch'], ['export'],
          ['client'], ['osc']]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
MODULES = [path for path in sorted(LIBRARY.rglob('*.py')) if path.parent != LIBRARY
           or path.name != '__init__.py']


def room_of(module):
    return module.split('.')[1]


def test_a_module_fits_into_one_head():
    for path in MODULES:
        assert len(path.read_text().splitlines()) <= 500, path


def test_imports_point_down():
    for path in MODULES:
        room = path.relative_to(LIBRARY).with_suffix('').parts[0]
        imported = {node.module for node in ast.walk(ast.parse(path.read_text()))
                    if isinstance(node, ast.ImportFrom)}
        for module in filter(lambda name: name.startswith('osc_imgurl.'), imported):
            assert room_of(module) == room or FLOOR[room_of(module)] < FLOOR[room], (path, module)


def test_imports_make_no_circle():
    """Inside a room neither, nor for a type or within a function."""
    paths = {'.'.join(path.relative_to(LIBRARY.parent).with_suffix('').parts).removesuffix(
        '.__init__'): path for path in MODULES}
    graph = {name: {module for node in ast.walk(ast.parse(path.read_text()))
                    if isinstance(node, ast.ImportFrom) for each in node.names
                    for module in [f'{node.module}.{each.name}']
                    for module in [module if module in paths else node.module]
                    if module in paths and module != name}
             for name, path in paths.items()}
    assert sum(map(len, graph.values())) > 100
    graphlib.TopologicalSorter(graph).prepare()


def test_what_is_seen_first():
    seen = {path.stem for path in LIBRARY.iterdir() if path.name != '__pycache__'}
    assert seen - {'__init__', 'py'} == FLOOR.keys() and len(seen) <= 19
