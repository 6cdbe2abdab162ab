"""What Ironic is told of an image. tests/functional asks a real Ironic whether it takes it."""

import json

import pytest

from osc_imgurl.errors import ImageUnacceptable
from osc_imgurl.export.ironic import CONSUMER

from .given import KERNEL, NAMES, RAMDISK, SHA512, URL, handover

HASHED = {'image_source': URL, 'image_os_hash_algo': 'sha512', 'image_os_hash_value': SHA512}


def told(**changes):
    return json.loads(CONSUMER.write(handover(**changes)))


@pytest.mark.parametrize('disk_format', ['raw', 'qcow2', 'iso'])
def test_a_whole_disk_image(disk_format):
    assert told(disk_format=disk_format) == {**HASHED, 'image_disk_format': disk_format}


@pytest.mark.parametrize(('algorithm', 'length'), [('sha256', 64), ('sha384', 96)])
def test_a_shorter_hash(algorithm, length):
    assert told(os_hash_algo=algorithm, os_hash_value='d' * length).items() >= {
        'image_os_hash_algo': algorithm, 'image_os_hash_value': 'd' * length}.items()


def test_a_partition_image_has_kernel_and_ramdisk():
    assert told(urls={'image': URL, 'kernel': KERNEL, 'ramdisk': RAMDISK}) == {
        **HASHED, 'image_disk_format': 'qcow2', 'kernel': KERNEL, 'ramdisk': RAMDISK}


@pytest.mark.parametrize('disk_format', ['ami', 'vhdx', 'mine', 7, None])
def test_a_format_that_ironic_has_no_word_for_is_left_for_it_to_find_out(disk_format):
    assert told(disk_format=disk_format) == HASHED


@pytest.mark.parametrize('container_format', ['compressed', 'docker', 'ova', 'ovf'])
def test_a_container_out_of_which_ironic_takes_nothing(container_format):
    with pytest.raises(ImageUnacceptable, match=f'has the container format {container_format}'):
        told(container_format=container_format)


@pytest.mark.parametrize(('algorithm', 'value'), [
    (None, None), ('md5', 'd' * 32), ('sha1', 'd' * 40), ('sha512', None), ('sha512', 'd' * 127),
    ('sha512', '"' * 128), (None, SHA512), ('sha3_512', SHA512)])
def test_without_a_hash_there_is_nothing_to_hand_over(algorithm, value):
    with pytest.raises(ImageUnacceptable, match=r'no hash \(sha256 or sha384 or sha512\) of image'):
        told(os_hash_algo=algorithm, os_hash_value=value)


@pytest.mark.parametrize('name', NAMES)
def test_no_name_is_in_it(name):
    assert told(name=name) == told()
