"""When a new URL expires."""

import pytest

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.settings.table import Settings, expiry
from osc_imgurl.tempurl.options import URLOptions

NOW = 1_700_000_000.9


@pytest.mark.parametrize(('settings', 'expires', 'wanted'), [
    (Settings(), None, 1_700_001_200),
    (Settings(duration=60), None, 1_700_000_060),
    # At the end of an hour that the moment is in, and of one that has just begun.
    (Settings(align=3600), None, 1_700_002_800 + 1200),
    (Settings(align=100, duration=60), None, 1_700_000_100 + 60),
    (Settings(align=100, duration=60), 1_700_000_007, 1_700_000_007),
    (Settings(), 1_700_000_001, 1_700_000_001),
    (Settings(expected_download_start_delay=60), 1_700_000_061, 1_700_000_061)])
def test_expiry(settings, expires, wanted):
    assert expiry(settings, URLOptions(expires=expires), NOW) == wanted


@pytest.mark.parametrize(('delay', 'expires', 'now', 'said'), [
    (0, 1_700_000_000, NOW, 'is in the past. Use'),
    (0, 1_700_000_000, 1_700_000_000, 'is in the past. Use'),
    (60, 1_700_000_060, NOW, r'may start \(60 s from now\)')])
def test_an_expiry_that_has_come(delay, expires, now, said):
    with pytest.raises(InvalidParameterValue, match=said) as caught:
        expiry(Settings(expected_download_start_delay=delay), URLOptions(expires=expires), now)
    assert caught.value.names == ('expires',)


def test_an_expiry_at_the_very_end_of_the_delay():
    settings = Settings(expected_download_start_delay=60)
    assert expiry(settings, URLOptions(expires=1_700_000_060), 1_700_000_000) == 1_700_000_060
