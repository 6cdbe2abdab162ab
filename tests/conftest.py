"""What all tests have in common: two tiers, and nothing that is left behind."""

import os
import shutil

import leave_nothing
import pytest
from hypothesis import HealthCheck, settings

# Seconds to minutes each: begun first, so that none of them is what the others end up waiting for.
LONGEST = ('test_radosgw', 'test_export_ironic', 'test_installed', 'test_copy', 'test_copy_faults',
           'test_check', 'test_urls', 'test_export_ipxe', 'test_create', 'test_recipes',
           'test_other_projects', 'test_cache', 'test_export_tools', 'test_ironic', 'test_manual',
           'test_peers', 'test_scenarios', 'test_store_s3')

# A busy machine is no reason to fail.
settings.register_profile('patient', deadline=None,
                          suppress_health_check=[HealthCheck.too_slow])
settings.load_profile('patient')


def pytest_addoption(parser):
    parser.addoption('--all', action='store_true', help='run the tests marked "extra", too')
    parser.addoption('--stress', action='store_true', help='kill, copy and race more often')
    parser.addoption('--record', action='store_true', help='record the scenarios anew')


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    config.addinivalue_line('markers', 'extra: runs with --all only')
    config.addinivalue_line('markers', 'needs(program, ...): where one is not installed, the test'
                                       ' is skipped; under CI it fails')
    if 'PYTEST_XDIST_WORKER' not in os.environ:
        leave_nothing.go_on_in_a_child()


def pytest_collection_modifyitems(config, items):
    items.sort(key=lambda item: (
        LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST),
        'functional' not in item.path.parts))
    if not config.option.all:
        left_out = [item for item in items if item.get_closest_marker('extra')]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_runtest_setup(item):
    require(*(program for mark in item.iter_markers('needs') for program in mark.args))


def require(*programs):
    """Leave a test out where a program is not installed."""
    path = f'{os.environ["PATH"]}:/usr/sbin'
    if missing := [program for program in programs if not shutil.which(program, path=path)]:
        leave_out(f'not installed: {", ".join(missing)}')


def leave_out(reason):
    """Skip a test that cannot run here; CI has all that is needed, so that it fails there."""
    (pytest.fail if 'CI' in os.environ else pytest.skip)(reason)


@pytest.fixture(scope='session')
def stress(request):
    return request.config.option.stress
