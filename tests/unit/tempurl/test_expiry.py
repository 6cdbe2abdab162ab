"""The moments at which URLs expire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osc_imgurl.tempurl.expiry import (
    MAX_EXPIRES,
    format_expires,
    format_remaining,
    parse_expires,
    parse_moment,
)

moments = st.integers(1, MAX_EXPIRES)


@given(moments)
def test_expiry_in_both_forms(expires):
    assert parse_expires(format_expires(expires)) == expires
    assert parse_expires(str(expires)) == expires


@pytest.mark.parametrize(('text', 'moment'), [
    ('2030-01-31T18:00:00Z', 1896112800),
    ('2030-01-31T18:00:00', 1896112800),
    ('2030-01-31T19:00:00+01:00', 1896112800),
    ('2030-01-31', 1896048000),
    ('1896112800', 1896112800),
])
def test_parse_moment(text, moment):
    assert parse_moment(text) == moment


@pytest.mark.parametrize(('left', 'text'), [
    (0, '0:00:00'), (1199, '0:19:59'), (93600, '1 day, 2:00:00'), (-1, 'expired 1 s ago'),
    (-119, 'expired 119 s ago'), (-180, 'expired 3 min ago'), (-7200, 'expired 2 h ago'),
    (-864000, 'expired 10 d ago')])
def test_format_remaining(left, text):
    assert format_remaining(1000 + left, 1000) == text
