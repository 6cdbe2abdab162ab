"""User data that includes others. tests/functional has cloud-init process it."""

import pytest

from osc_imgurl.errors import ImageUnacceptable
from osc_imgurl.export.cloud_init import CONSUMER

from .given import KERNEL, NAMES, URL, handover

RAW = {'disk_format': 'raw'}


def test_a_url_a_line():
    assert CONSUMER.write(handover(**RAW)) == f'#include-once\n{URL}\n'
    other = handover(**RAW, urls={'image': KERNEL})
    assert CONSUMER.write(handover(**RAW), other) == f'#include-once\n{URL}\n{KERNEL}\n'


def test_a_disk_is_no_user_data():
    with pytest.raises(ImageUnacceptable, match='the disk format qcow2'):
        CONSUMER.write(handover(**RAW), handover(disk_format='qcow2'))


@pytest.mark.parametrize('name', NAMES)
def test_no_name_is_in_it(name):
    assert CONSUMER.write(handover(**RAW, name=name)) == CONSUMER.write(handover(**RAW))
