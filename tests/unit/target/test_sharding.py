import pytest

from osc_imgurl.target.sharding import container_name

IMAGE_ID = '3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5'


@pytest.mark.parametrize(('seed', 'name'), [
    (0, 'glance'),
    (1, 'glance_3'),
    (8, 'glance_3a1f6de0'),
    # A dash among the first characters makes the name longer by one.
    (9, 'glance_3a1f6de0-9'),
    (14, 'glance_3a1f6de0-93c4-4b'),
    (32, f'glance_{IMAGE_ID}'),
])
def test_container_name(seed, name):
    assert container_name('glance', IMAGE_ID, seed) == name
    assert container_name('glance', IMAGE_ID.upper(), seed) == name
