"""Which expiry that a cache knows counts for a new URL."""

import dataclasses

import pytest

from osc_imgurl.cache import reuse
from osc_imgurl.settings.table import Settings
from osc_imgurl.tempurl.options import URLOptions
from osc_imgurl.tempurl.signing import Key, Parameters, sign
from osc_imgurl.tempurl.url import ObjectPath

NOW = 1_700_000_000
PATH = ObjectPath('AUTH_p', 'glance', 'x')
KEY = Key(b'a key')


class Known:
    """A cache that knows one expiry; it keeps what it is given."""

    def __init__(self, expires):
        self.expires = expires

    def get_or_create(self, new, accepts, now, refresh=False):
        self.new, self.refresh = new, refresh
        return (self.expires, True) if accepts(self.expires) else (new.expires, False)


def new(**options):
    return Parameters('http://swift', PATH, NOW + 1200, URLOptions(**options))


@pytest.mark.parametrize(('settings', 'options', 'expires', 'known'), [
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
def test_an_expiry_that_could_have_been_chosen_counts(settings, options, expires, known):
    found, cached = reuse(Known(expires), new(**options), KEY, 'i', settings, now=NOW)
    assert cached is known
    assert found == dataclasses.replace(
        new(**options), expires=expires if known else NOW + 1200)


def test_a_duration_of_the_url_counts():
    for expires, known in ((NOW + 7260, True), (NOW + 7261, False)):
        assert reuse(Known(expires), new(duration='2h'), KEY, 'i', Settings(), now=NOW)[1] is known


def test_what_is_kept():
    cache = Known(0)
    parameters = new(method='PUT')
    reuse(cache, parameters, KEY, 'i', Settings(), now=NOW, refresh=True)
    kept = dataclasses.asdict(cache.new)
    assert len(kept.pop('fingerprint')) == len(kept.pop('signature_fingerprint')) == 64
    assert kept == {'expires': NOW + 1200, 'image_id': 'i', 'method': 'PUT', 'account': 'AUTH_p',
                    'container': 'glance', 'key_fingerprint': KEY.fingerprint}
    assert cache.refresh is True and sign(parameters, KEY).signature not in str(cache.new)
