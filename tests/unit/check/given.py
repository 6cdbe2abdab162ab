"""A URL that works, and who is asked about it; what a test changes there is what is wrong.

Who is asked are stubs: see :mod:`tests.unit.stubs`. The functional tests make each fault for real.
"""

import dataclasses

from osc_imgurl.cache.base import Entry, signature_fingerprint
from osc_imgurl.check.facts import Facts
from osc_imgurl.errors import ObjectStoreNotAuthorized
from osc_imgurl.glance.image import OfflineImages
from osc_imgurl.settings.table import Settings
from osc_imgurl.swift.answers import ACCOUNT_SLOTS, Capabilities
from osc_imgurl.swift.endpoint import endpoint_of
from osc_imgurl.target.store import Cloud
from osc_imgurl.tempurl.options import URLOptions
from osc_imgurl.tempurl.signing import Key, Parameters, sign, sign_path
from osc_imgurl.tempurl.url import ObjectPath

from ..stubs import IMAGE_ID, NOW, OFFLINE, REFUSED, WORKS, Glance, Probe, Store, image

A2, A1 = ACCOUNT_SLOTS
KEY, OTHER_KEY = Key(b'a key'), Key(b'another key')
PATH = ObjectPath('AUTH_p', 'glance', IMAGE_ID)
EXPIRES = 1_700_000_600
IMAGE = image(f'swift+config://ref1/glance/{IMAGE_ID}', size=5)
TAKES = Capabilities(True, ('GET', 'HEAD', 'PUT'), ('sha256', 'sha512'))
GONE = dataclasses.replace(REFUSED, status=404)
UNSEEN = ObjectStoreNotAuthorized('Swift does not show it.', 'Ask.')
OBJECT = '/v1/AUTH_p/glance/'
SAID = 'HEAD to http://swift, without a token: HTTP '


def signed(*, key=KEY, digest='sha256', endpoint='http://swift', expires=EXPIRES, method='GET',
           signed_path=None, ip_range=None, prefix=None, **path):
    """Return a temporary URL, taken apart; of another path than it says where one is given."""
    url = sign(Parameters(endpoint, dataclasses.replace(PATH, **path), expires,
                          URLOptions(method, ip_range=ip_range, prefix=prefix), digest), key)
    if signed_path is None:
        return url
    return dataclasses.replace(
        url, signature=sign_path(key, signed_path, expires, method, ip_range=ip_range,
                                 digest=digest))


GATEWAY = signed(endpoint='http://rgw/swift', account=None)


def remembered(url, *, key=KEY, **changes):
    """Return what the cache keeps of a URL."""
    return dataclasses.replace(
        Entry('of the request', url.expires, url.path.object, 'GET', url.path.account,
              url.path.container, key.fingerprint, signature_fingerprint(url.signature)),
        **changes)


def store(url='http://swift/v1/AUTH_p', **changes):
    """Return a Swift that has the key and the object."""
    return Store(url, **{'account': {A1: KEY}, 'capabilities': TAKES,
                         'objects': {('AUTH_p', 'glance', IMAGE_ID): 5}, **changes})


def failing(question, error, **changes):
    """Return a Swift that answers a question with an error."""
    made = store(**changes)
    made.answers[question] = error
    return made


def facts(url=None, answer=WORKS, *, image=IMAGE, store=store, glance=None, probe=None,
          settings=None, method='GET', cached=(), now=NOW):
    """Return what can be found out about a URL.

    :param answer: to a HEAD; None where the probe gives it.
    :param store: a Swift, or a function that makes one; None where there is nobody to ask.
    """
    url = url or signed()
    cloud = Cloud(glance or OfflineImages(), (store() if callable(store) else store) or OFFLINE,
                  probe)
    settings = settings or Settings()
    endpoint = endpoint_of(url.endpoint, url.path.account, settings, cloud.object_store)
    return Facts(url.path, endpoint, method, now, settings, cloud, url.url, url,
                 cached, image, answer)


def refused(url=None, **changes):
    """Return what can be found out about a URL that Swift refuses."""
    return facts(url, REFUSED, **changes)


__all__ = ['A1', 'A2', 'EXPIRES', 'GATEWAY', 'GONE', 'IMAGE', 'IMAGE_ID', 'KEY', 'NOW', 'OBJECT',
           'OTHER_KEY', 'PATH', 'REFUSED', 'SAID', 'TAKES', 'UNSEEN', 'WORKS', 'Glance', 'Probe',
           'facts', 'failing', 'refused', 'remembered', 'signed', 'store']
