"""The image of a BareMetalHost, with the names and types of Metal3's API."""

import pytest
import yaml

from osc_imgurl.errors import ImageUnacceptable
from osc_imgurl.export.metal3 import CONSUMER

from .given import NAMES, SHA512, URL, handover


def image(**changes):
    told = yaml.safe_load(CONSUMER.write(handover(**changes)))
    assert list(told) == ['spec'] and list(told['spec']) == ['image']
    return told['spec']['image']


@pytest.mark.parametrize('disk_format', ['raw', 'qcow2', 'vdi', 'vmdk'])
def test_an_image_that_is_written_to_a_disk(disk_format):
    assert image(disk_format=disk_format) == {
        'url': URL, 'format': disk_format, 'checksumType': 'sha512', 'checksum': SHA512}


def test_a_live_iso_has_no_checksum():
    assert image(disk_format='iso', os_hash_value=None) == {'url': URL, 'format': 'live-iso'}


@pytest.mark.parametrize('value', ['1' * 126 + 'e9', '0' * 128, '9' * 64 + 'e' + '0' * 63])
def test_a_hash_that_looks_like_a_number_is_a_text(value):
    """For readers that know YAML 1.2 too, where a float needs no point."""
    assert f"checksum: '{value}'\n" in CONSUMER.write(handover(os_hash_value=value))


@pytest.mark.parametrize('algorithm', ['md5', 'sha1', 'sha384'])
def test_a_hash_that_metal3_does_not_take(algorithm):
    with pytest.raises(ImageUnacceptable, match=r'no hash \(sha256 or sha512\)'):
        image(os_hash_algo=algorithm, os_hash_value='d' * 96)


@pytest.mark.parametrize(('disk_format', 'container_format'), [
    ('vhd', 'bare'), ('ami', 'ami'), (None, 'bare'), ('vmdk', 'ova'), ('qcow2', 'compressed')])
def test_a_format_that_metal3_has_no_word_for(disk_format, container_format):
    with pytest.raises(ImageUnacceptable, match=f'the disk format {disk_format} and the container'
                                                f' format {container_format}'):
        image(disk_format=disk_format, container_format=container_format)


@pytest.mark.parametrize('name', NAMES)
def test_no_name_is_in_it(name):
    assert image(name=name) == image()
