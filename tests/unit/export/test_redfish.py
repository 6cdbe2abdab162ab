"""The body of InsertMedia. tests/functional has a Redfish service accept it."""

import json

import pytest

from osc_imgurl.errors import ImageUnacceptable
from osc_imgurl.export.redfish import CONSUMER

from .given import NAMES, URL, handover


def body(**changes):
    return json.loads(CONSUMER.write(handover(**{'disk_format': 'iso', **changes})))


def test_what_is_inserted():
    assert body() == {'Image': URL, 'Inserted': True, 'WriteProtected': True}


@pytest.mark.parametrize(('disk_format', 'container_format'), [
    ('raw', 'bare'), ('qcow2', 'bare'), ('iso', 'ova')])
def test_what_is_no_iso(disk_format, container_format):
    with pytest.raises(ImageUnacceptable, match='in the format iso'):
        body(disk_format=disk_format, container_format=container_format)


@pytest.mark.parametrize('name', NAMES)
def test_no_name_is_in_it(name):
    assert body(name=name) == body()
