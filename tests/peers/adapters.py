"""Our library, called as others are. All that these tests use of it is in this module."""

import dataclasses
import hashlib
import hmac
import types
from collections.abc import Callable

from osc_imgurl import create
from osc_imgurl.errors import ImgurlError
from osc_imgurl.glance.image import OfflineImages, is_uuid, may_see
from osc_imgurl.glance.location import container_name
from osc_imgurl.glance.location import parse as parse_location
from osc_imgurl.settings.table import Settings, expiry
from osc_imgurl.swift.answers import ACCOUNT_SLOTS
from osc_imgurl.swift.endpoint import OfflineSwift
from osc_imgurl.target.resolve import resolve, signing_key
from osc_imgurl.target.store import Cloud, Store
from osc_imgurl.tempurl import signing
from osc_imgurl.tempurl.options import URLOptions, parse_expires
from osc_imgurl.tempurl.signing import Key, verify
from osc_imgurl.tempurl.url import ObjectPath, TempURL, decode_signature, parse, quote

# Without an adapter: their arguments are ours.
__all__ = ['ImgurlError', 'container_name', 'is_uuid', 'may_see', 'parse_location']


# Ironic

def ironic_settings(conf):
    """Return what an ``ironic.conf`` says, as our settings."""
    glance = conf.glance
    return Settings(
        key=glance.swift_temp_url_key, duration=glance.swift_temp_url_duration,
        expected_download_start_delay=glance.swift_temp_url_expected_download_start_delay,
        endpoint_url=glance.swift_endpoint_url, api_version=glance.swift_api_version,
        account=glance.swift_account, account_prefix=glance.swift_account_prefix,
        container=glance.swift_container,
        multiple_containers_seed=glance.swift_store_multiple_containers_seed,
        endpoint_type=getattr(conf.deploy, 'object_store_endpoint_type', 'swift'))


def ironic_temp_url(settings, image_id, now, swift=None):
    """Return the URL of an image.

    :param swift: finds what is not given; in Ironic, our ``ObjectStore(get_swift_session())``.
    """
    cloud = Cloud(object_store=swift) if swift else Cloud()
    image = OfflineImages().show(image_id)
    return create.create_for(image, URLOptions(), cloud, settings, lambda: now).url


def parse_image_id(image):
    return OfflineImages().show(image).id


def require_all_given(settings):
    """Fail where a setting is missing that a URL needs, and that nobody looks up."""
    store = Store(settings, OfflineSwift())
    image = OfflineImages().show('00000000-0000-4000-8000-000000000000')
    signing_key(resolve(image, store), store)


@dataclasses.dataclass(frozen=True)
class IronicsSwift(OfflineSwift):
    """Swift as Ironic's own functions find it, which its tests replace by mocks."""

    find_endpoint: Callable[[], str | None]
    find_project: Callable[[], str]
    find_key: Callable[[], str | None]

    def find_storage_url(self):
        return self.find_endpoint()

    def project_id(self):
        return self.find_project()

    def container_keys(self, account, container):
        return {}

    def account_keys(self, account):
        key = self.find_key()
        return {ACCOUNT_SLOTS[0]: Key(key.encode())} if key else {}


def let_sign(generate):
    """Have another function sign the paths that our library finds.

    :param generate: takes a path, the Unix time at which it expires (seconds), a key and a method,
        and returns a signature and an expiry.
    """
    def sign(parameters, key):
        return TempURL(parameters.endpoint, parameters.path, *generate(
            str(parameters.path), parameters.expires, key.value.decode(),
            parameters.options.method))

    create.sign = sign


# python-swiftclient and openstacksdk

class AtOnce:
    """An HMAC that is computed in one call, as theirs: their tests look at that."""

    def __init__(self, key, digestmod):
        self._key, self._digest = key, digestmod

    def copy(self):
        return AtOnce(self._key, self._digest)

    def update(self, message):
        self._message = message

    def digest(self):
        made = hmac.HMAC(self._key, self._message, getattr(hashlib, self._digest))
        return made.digest() if self._digest == 'sha512' else Hex(made.hexdigest())


class Hex(str):
    """What a test calls the signature."""

    def hex(self):
        return self


def sign_at_once():
    signing.hmac = types.SimpleNamespace(new=AtOnce)


def expires_after(duration, now):
    """Return when a URL expires: Unix time, seconds.

    :param duration: as our setting.
    :param now: Unix time, seconds.
    """
    return expiry(Settings(duration=duration), URLOptions(), now)


def temp_url_query(path, expires, key, method, *, prefix=False, iso8601=False, ip_range=None,
                   digest='sha256'):
    """Return the query of a URL.

    :param path: of an object; with ``prefix``, that of the container and the prefix.
    :param expires: Unix time, seconds.
    :raises ValueError: it is none of these.
    """
    start, version, account, container, name = path.split('/', 4)
    if start:
        raise ValueError('the path does not begin with a slash')
    options = URLOptions(method, prefix=name if prefix else None, iso8601=iso8601,
                         ip_range=ip_range)
    # A URL has an object; with an empty prefix any will do.
    object_path = ObjectPath(account, container, name or ('any' if prefix else ''), version)
    query = signing.sign(signing.Parameters(
        'http://swift', object_path, expires, options, digest), Key(key)).url.partition('?')[2]
    # Theirs leaves out the padding of base64, which a RADOS Gateway wants.
    return query.replace('%3D%3D&', '&', 1)


# Swift's middleware

def hex_hmac(method, path, expires, key, digest, ip_range):
    """Return an HMAC.

    :param path: behind ``prefix:`` where a prefix is signed.
    :param expires: Unix time, seconds.
    """
    message = signing.message(method, expires, path.removeprefix('prefix:'), ip_range or None,
                              path.startswith('prefix:'))
    return signing.compute(message, key.encode() if isinstance(key, str) else key, digest).hex()


def digest_and_hex(signature):
    digest, value = decode_signature(signature)
    return digest, value.hex()


def expires_of(text, now):
    """Return a URL's expiry (Unix time, seconds), or 0 for one in the past or for none."""
    try:
        expires = parse_expires(text)
    except ImgurlError:
        return 0
    return expires if expires >= now else 0


def accepts(path, query, key, method, now):
    """Say whether a request is allowed, as far as key, path and query say it."""
    try:
        url = parse(f'http://swift{quote(path)}?{query}', 'swift')
        return verify(url, Key(key.encode() if isinstance(key, str) else key), now, method).valid
    except ImgurlError:
        return False
