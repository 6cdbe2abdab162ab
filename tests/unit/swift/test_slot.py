"""What a key slot is called, and in which header Swift keeps its key."""

import pytest

from osc_imgurl.swift.answers import ACCOUNT_SLOTS, CONTAINER_SLOTS


@pytest.mark.parametrize(('slot', 'text', 'header'), [
    (CONTAINER_SLOTS[0], 'container key 2', 'X-Container-Meta-Temp-Url-Key-2'),
    (CONTAINER_SLOTS[1], 'container key', 'X-Container-Meta-Temp-Url-Key'),
    (ACCOUNT_SLOTS[0], 'account key 2', 'X-Account-Meta-Temp-Url-Key-2'),
    (ACCOUNT_SLOTS[1], 'account key', 'X-Account-Meta-Temp-Url-Key'),
])
def test_names(slot, text, header):
    assert (str(slot), slot.header) == (text, header)
