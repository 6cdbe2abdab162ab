"""A DataVolume, with the names and types of CDI's API."""

import pytest
import yaml

from osc_imgurl.errors import ImageUnacceptable
from osc_imgurl.export.cdi import CONSUMER

from ..stubs import IMAGE_ID, OTHER_ID
from .given import DATA, FACTS, NAMES, SHA512, URL, handover


def volume(**changes):
    return yaml.safe_load(CONSUMER.write(handover(**changes)))


def storage(**changes):
    return volume(**changes)['spec']['storage']['resources']['requests']['storage']


def test_a_volume_that_holds_the_disk():
    assert volume() == {
        'apiVersion': 'cdi.kubevirt.io/v1beta1',
        'kind': 'DataVolume',
        'metadata': {'name': IMAGE_ID},
        'spec': {
            'source': {'http': {'url': URL, 'checksum': f'sha512:{SHA512}'}},
            'storage': {'resources': {'requests': {'storage': str(FACTS['virtual_size'])}}}}}


def test_a_document_for_each_image():
    text = CONSUMER.write(handover(), handover(id=OTHER_ID))
    assert list(yaml.safe_load_all(text)) == [volume(), volume(id=OTHER_ID)]


@pytest.mark.parametrize('disk_format', ['qcow2', 'vmdk', 'vdi', 'vhd', 'vhdx'])
def test_a_disk_in_a_format_that_cdi_imports(disk_format):
    assert storage(disk_format=disk_format) == str(FACTS['virtual_size'])


def test_a_raw_image_is_as_large_as_its_disk():
    assert storage(disk_format='raw', virtual_size=None) == str(len(DATA))
    assert storage(disk_format='raw', virtual_size=1024) == '1024'


@pytest.mark.parametrize('virtual_size', [None, 0, -1, True, '117440512', 1.5])
def test_without_a_virtual_size_nobody_knows_how_large_the_volume_must_be(virtual_size):
    with pytest.raises(ImageUnacceptable, match='no virtual size of image cirros'):
        storage(virtual_size=virtual_size)


@pytest.mark.parametrize(('disk_format', 'container_format'), [
    ('iso', 'bare'), ('ploop', 'bare'), ('vmdk', 'ova'), ('raw', 'docker')])
def test_what_is_no_disk_that_cdi_imports(disk_format, container_format):
    with pytest.raises(ImageUnacceptable, match=f'the disk format {disk_format} and'):
        volume(disk_format=disk_format, container_format=container_format)


def test_without_a_hash():
    with pytest.raises(ImageUnacceptable, match='no hash'):
        volume(os_hash_value=None)


@pytest.mark.parametrize('name', NAMES)
def test_no_name_is_in_it(name):
    assert volume(name=name) == volume()
