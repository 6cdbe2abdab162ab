"""Run a peer's tests, with our library in the place of theirs.

    python -m tests.peers.run <peer> <folder> <report>

The folder is the sdist's, or that of what is installed. The report gets the failures of each test.

Run by the Python of the environment ``peers``.
"""

import contextlib
import importlib
import importlib.util
import json
import os
import pathlib
import re
import sys
import time
import types
import unittest
import urllib.parse

from . import adapters
from .peers import PEERS

# Ironic's tests know a duration, and no clock.
NOW = int(time.time())


@contextlib.contextmanager
def raising(make):
    """Raise the error that is made of one of ours."""
    try:
        yield
    except (adapters.ImgurlError, ValueError) as error:
        raise make(error) from error


def refusing(message):
    """Raise a ValueError with the message of theirs."""
    return raising(lambda error: ValueError(message))


def into_ironic(sign, find_swift, validate):
    """Have our library make Ironic's temporary URLs, and say who may see an image.

    :param sign: what signs Ironic's: takes path, duration, key and method, and is a test's mock.
    :param find_swift: returns what finds that which is not given.
    :param validate: takes settings.
    """
    import ironic.tests.unit  # noqa: F401 (it chooses a backend, before another is chosen)
    from ironic.common import exception, image_service
    from ironic.common.glance_service import service_utils
    from ironic.conf import CONF

    def of_same_name(error):
        return getattr(exception, type(error).__name__)(str(error))

    def generate(path, expires, key, method):
        query = dict(urllib.parse.parse_qsl(sign(path, expires - NOW, key, method).split('?')[1]))
        return query['temp_url_sig'], int(query['temp_url_expires'])

    def swift_temp_url(self, image_info):
        self._validate_temp_url_config()
        if not adapters.is_uuid(str(image_info.get('id'))):
            raise exception.ImageUnacceptable(str(image_info))
        with raising(of_same_name):
            return adapters.ironic_temp_url(
                adapters.ironic_settings(CONF), image_info['id'], NOW, find_swift())

    def _validate_temp_url_config(self):
        with raising(of_same_name):
            validate(adapters.ironic_settings(CONF))

    def parse_image_id(image_href):
        with raising(lambda error: exception.InvalidImageRef(image_href=image_href)):
            return adapters.parse_image_id(image_href)

    def is_image_available(context, image):
        members = (service_utils.get_image_member_list(image.id, context)
                   if image.visibility == 'shared' else ())
        return adapters.may_see(service_utils.get_conductor_project_id(), image, members)

    adapters.let_sign(generate)
    theirs = image_service.GlanceImageService
    theirs.swift_temp_url = swift_temp_url
    theirs._validate_temp_url_config = _validate_temp_url_config
    service_utils.parse_image_id = parse_image_id
    service_utils.is_image_available = is_image_available


def ironics_swift(find_key):
    """Return what finds Swift by Ironic's functions.

    :param find_key: takes Ironic's own client of Swift.
    """
    from ironic.common import keystone, swift
    from ironic.conf import CONF

    def storage_url():
        # Ironic does not look at the catalog where the endpoint is given.
        if not CONF.glance.swift_endpoint_url:
            return keystone.get_adapter('swift', session=swift.get_swift_session()).get_endpoint()

    def project_id():
        session = swift.get_swift_session()
        return session.auth.get_auth_ref(session).project_id

    return adapters.IronicsSwift(storage_url, project_id, lambda: find_key(swift.SwiftAPI()))


def ironic():
    def sign(path, seconds, key, method):
        from ironic.common import swift
        return swift.SwiftAPI().generate_temp_url(
            path=path, timeout=seconds, temp_url_key=key, method=method)

    into_ironic(sign, lambda: ironics_swift(lambda swift: swift.get_temp_url_key()), bool)


def ironic_queens():
    old_ironic(lambda: ironics_swift(
        lambda swift: swift.connection.head_account().get('x-account-meta-temp-url-key')), bool)


def ironic_pike():
    """Ironic looked nothing up then."""
    old_ironic(lambda: None, adapters.require_all_given)


def old_ironic(find_swift, validate):
    """Put what an old Ironic had beside into today's."""
    def sign(path, seconds, key, method):
        import swiftclient.utils
        return swiftclient.utils.generate_temp_url(
            path=path, seconds=seconds, key=key, method=method)

    into_ironic(sign, find_swift, validate)
    from ironic.common import image_service, swift
    from ironic.conf import CONF
    from oslo_config import cfg

    new = image_service.GlanceImageService
    image_service.GlanceImageService = (
        lambda client, version=2, context=None: new(client, context))
    swift.SwiftAPI.connection = None
    CONF.register_opt(cfg.StrOpt('object_store_endpoint_type', default='swift'), 'deploy')
    for parent, name in (('', 'base_image_service'), ('', 'v2'), ('.v2', 'image_service')):
        module = types.ModuleType(name)
        folder = f'ironic.common.glance_service{parent}'
        sys.modules[f'{folder}.{name}'] = module
        setattr(sys.modules[folder], name, module)


def generate_temp_url(path, seconds, key, method, *, absolute=False, prefix=False, ip_range=None,
                      **options):
    """Return what python-swiftclient does: path and query, in the type of the path."""
    text, ip_range = (value.decode() if isinstance(value, bytes) else value
                      for value in (path, ip_range))
    with refusing('time must either be a whole number or in specific ISO 8601 format.'):
        expires = seconds if absolute else adapters.expires_after(seconds, time.time())
    with refusing('path must at least contain /v1/a/c/' if prefix else
                  'path must be full path to an object e.g. /v1/a/c/o'):
        query = adapters.temp_url_query(
            text, expires, key.encode() if isinstance(key, str) else key, method, prefix=prefix,
            ip_range=ip_range, **options)
    url = f'{text}?{query}'
    return url.encode() if isinstance(path, bytes) else url


def swiftclient():
    import swiftclient.utils

    def replaced(path, seconds, key, method, absolute=False, prefix=False, iso8601=False,
                 ip_range=None, digest='sha256'):
        return generate_temp_url(
            path, seconds, key, method, absolute=absolute, prefix=prefix, iso8601=iso8601,
            ip_range=ip_range, digest=digest if isinstance(digest, str) else digest().name)

    adapters.sign_at_once()
    swiftclient.utils.generate_temp_url = replaced


def openstacksdk():
    from openstack.object_store.v1 import _proxy

    def replaced(self, path, seconds, method, temp_url_key=None, **options):
        return generate_temp_url(path, seconds, temp_url_key, method, digest='sha1', **options)

    adapters.sign_at_once()
    _proxy.Proxy.generate_temp_url = replaced


def swifts_middleware():
    # Their package test, in front of Python's own.
    sys.path.insert(0, str(pathlib.Path.cwd()))
    from swift.common.middleware import tempurl
    return tempurl


def swift_signing():
    """Our HMAC, and our reading of signature and expiry."""
    tempurl = swifts_middleware()

    def get_hmac(request_method, path, expires, key, digest='sha1', ip_range=None):
        return adapters.hex_hmac(request_method, path, expires, key, digest, ip_range)

    def extract(value):
        with refusing(''):
            return adapters.digest_and_hex(value)

    def normalize(value):
        return None if value is None else adapters.expires_of(str(value), tempurl.time())

    tempurl.get_hmac = get_hmac
    tempurl.extract_digest_and_algorithm = extract
    tempurl.normalize_temp_url_expires = normalize


def swift_verifying():
    """Our answer whether a key has signed a URL."""
    tempurl = swifts_middleware()

    def get_hmacs(self, env, expires, path, scoped_keys, hash_algorithm, request_method=None,
                  ip_range=None):
        signature = tempurl.extract_digest_and_algorithm(tempurl.get_temp_url_info(env)[0])[1]
        path = env['PATH_INFO'].encode('latin-1').decode()
        return [(signature if adapters.accepts(
            path, env['QUERY_STRING'], key, env['REQUEST_METHOD'], tempurl.time()) else '', scope)
            for key, scope in scoped_keys]

    tempurl.TempURL._get_hmacs = get_hmacs


def glance_store():
    from glance_store._drivers.swift import store

    # Their tests load it again, and again.
    reload = importlib.reload
    importlib.reload = lambda module: read_locations(reload(module))
    read_locations(store)


def read_locations(store):
    """Have our library read locations, but for user and password, which it does not keep."""
    from glance_store import exceptions

    theirs = store.StoreLocation.parse_uri

    def parse_uri(self, uri):
        found = adapters.parse_location(uri)
        if not found.in_swift or found.problem:
            raise exceptions.BadStoreUri(uri=uri)
        try:
            theirs(self, uri)
        except exceptions.BadStoreUri:
            # What their configuration lacks is not in the location.
            assert found.scheme == 'swift+config', 'we read what they refuse'
            raise
        self.container, self.obj = found.container, found.object
        self.auth_or_store_url = found.base_url or self.auth_or_store_url

    def get_container_name(self, image_id, default_image_container):
        return adapters.container_name(default_image_container, image_id, self._option_get(
            'swift_store_multiple_containers_seed'))

    store.StoreLocation.parse_uri = parse_uri
    store.SingleTenantStore.get_container_name = get_container_name
    return store


def load(name):
    """Return a module, or what is in a file below the current directory."""
    if not name.endswith('.py'):
        return importlib.import_module(name)
    spec = importlib.util.spec_from_file_location('theirs', name)
    module = sys.modules['theirs'] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tests_of(suite):
    for each in suite:
        yield from tests_of(each) if isinstance(each, unittest.TestSuite) else [each]


def main(peer_name, source, report):
    peer = PEERS[peer_name]
    # Some read files below the folder that their package is in.
    os.chdir(source)
    globals()[peer.adapter]()
    done, left_out = {}, set()
    for name in peer.tests:
        for test in tests_of(unittest.defaultTestLoader.loadTestsFromModule(load(name))):
            short = '.'.join(test.id().split('.')[-2:])
            if not re.search(peer.about, short):
                continue
            if found := {each for each in peer.inapplicable if re.search(each, short)}:
                left_out |= found
                continue
            result = unittest.TestResult()
            test.run(result)
            done[f'{name}: {short}'] = [text for _, text in (*result.failures, *result.errors)]
    assert left_out == peer.inapplicable.keys(), 'a pattern of what does not apply fits no test'
    pathlib.Path(report).write_text(json.dumps(done))


if __name__ == '__main__':
    main(*sys.argv[1:])
