"""Which expiry that a cache knows counts for a new URL."""

import dataclasses

import pytest

from osc_imgurl.cache.reuse import Asked, first_expiry
from osc_imgurl.settings.table import Settings
from osc_imgurl.tempurl.options import URLOptions
from osc_imgurl.tempurl.signing import Key, Parameters, sign
from osc_imgurl.tempurl.url import ObjectPath

NOW = 1_700_000_000
PATH = ObjectPath('AUTH_p', 'glance', 'x')
URL = sign(Parameters('http://swift', PATH, NOW + 1200), Key(b'a key'))


class Known:
    """A cache that knows one expiry; it keeps what it is given."""

    def __init__(self, expires):
        self.expires = expires

    def get_or_create(self, new, accepts, now, refresh=False):
        self.new, self.refresh = new, refresh
        return (self.expires, True) if accepts(self.expires) else (new.expires, False)


def asked(**request):
    return Asked('i', 'http://swift', PATH, 'sha256', 'k', 1200, 0, URLOptions(**request))


@pytest.mark.parametrize(('settings', 'request_', 'expires', 'known'), [
    (Settings(), {}, NOW + 1200, True),
    (Settings(), {}, NOW, True), (Settings(), {}, NOW - 1, False),
    # Clocks differ by a minute at the most.
    (Settings(), {}, NOW + 1260, True), (Settings(), {}, NOW + 1261, False),
    (Settings(expected_download_start_delay=60), {}, NOW + 60, True),
    (Settings(expected_download_start_delay=60), {}, NOW + 59, False),
    (Settings(align=1000), {}, NOW + 2200, True), (Settings(align=1000), {}, NOW + 200, True),
    (Settings(align=1000), {}, NOW + 201, False), (Settings(align=1000), {}, NOW + 3200, False),
    (Settings(), {'expires': NOW + 9000}, NOW + 9000, True),
    (Settings(), {'expires': NOW + 9000}, NOW + 1200, False)])
def test_an_expiry_that_could_have_been_chosen_counts(settings, request_, expires, known):
    assert first_expiry(Known(expires), asked(**request_), URL, settings, now=NOW) == (
        (expires, True) if known else (URL.expires, False))


def test_what_is_kept():
    cache = Known(0)
    first_expiry(cache, asked(method='PUT'), URL, Settings(), now=NOW, refresh=True)
    kept = dataclasses.asdict(cache.new)
    assert len(kept.pop('fingerprint')) == len(kept.pop('signature_fingerprint')) == 64
    assert kept == {'expires': URL.expires, 'image_id': 'i', 'method': 'PUT', 'account': 'AUTH_p',
                    'container': 'glance', 'key_fingerprint': 'k'}
    assert cache.refresh is True and URL.signature not in str(cache.new)
