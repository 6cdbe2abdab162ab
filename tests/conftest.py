"""What all tests have in common."""

from hypothesis import HealthCheck, settings

# Seconds to minutes each: begun first, so that none of them is what the others end up waiting for.
LONGEST = ('test_installed', 'test_radosgw', 'test_check', 'test_urls', 'test_create',
           'test_other_projects', 'test_cache', 'test_export_ipxe', 'test_export_ironic',
           'test_ironic', 'test_manual')

# A busy machine is no reason to fail.
settings.register_profile('patient', deadline=None,
                          suppress_health_check=[HealthCheck.too_slow])
settings.load_profile('patient')


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: (
        LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST),
        'functional' not in item.path.parts))
