"""A configuration that points to another. tests/functional has Ignition fetch it."""

import json

import pytest

from osc_imgurl.errors import ImageUnacceptable
from osc_imgurl.export.ignition import CONSUMER

from .given import NAMES, SHA512, URL, handover

RAW = {'disk_format': 'raw'}


def config(**changes):
    return json.loads(CONSUMER.write(handover(**{**RAW, **changes})))


def test_where_the_configuration_is_and_its_hash():
    assert config() == {'ignition': {'version': '3.1.0', 'config': {'replace': {
        'source': URL, 'verification': {'hash': f'sha512-{SHA512}'}}}}}


def test_a_shorter_hash():
    told = config(os_hash_algo='sha256', os_hash_value='d' * 64)
    assert told['ignition']['config']['replace']['verification'] == {'hash': f'sha256-{"d" * 64}'}


@pytest.mark.parametrize('algorithm', [None, 'md5', 'sha384'])
def test_a_hash_that_ignition_does_not_know(algorithm):
    with pytest.raises(ImageUnacceptable, match=r'no hash \(sha256 or sha512\)'):
        config(os_hash_algo=algorithm)


@pytest.mark.parametrize(('disk_format', 'container_format'), [
    ('qcow2', 'bare'), ('raw', 'compressed'), (None, 'bare')])
def test_what_is_no_configuration(disk_format, container_format):
    with pytest.raises(ImageUnacceptable, match='in the format raw'):
        config(disk_format=disk_format, container_format=container_format)


@pytest.mark.parametrize('name', NAMES)
def test_no_name_is_in_it(name):
    assert config(name=name) == config()
