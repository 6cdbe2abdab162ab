"""Whose tests run against our library, and which of them do not apply."""

import dataclasses
from collections.abc import Mapping

OUR_CACHE = ('Ironic keeps URLs in a dictionary of its process; we keep when a URL was made'
             ' (tests/functional/test_cache.py)')
OF_URLS = {
    'test_generate_temp_url_ip_range': 'it signs 1.2.3.4/24 too, a range that Swift refuses: it'
                                       ' has host bits set',
    'test_generate_temp_url_iso8601_argument': 'for us a duration is no moment: that is an option'
                                               ' of its own, and UTC where it names no offset',
    'test_generate_temp_url_invalid_path': 'our paths are texts',
}


@dataclasses.dataclass(frozen=True)
class Peer:
    """Tests of one release of another project.

    :ivar tests: modules; of an sdist, files.
    :ivar about: a pattern of the tests that are about what our library does.
    :ivar adapter: the function of ``run`` that puts our library into the place of theirs.
    :ivar inapplicable: why a test of these does not apply, by a pattern.
    :ivar sdist: release on PyPI whose source has the tests; None where what is installed has them.
    """

    tests: tuple[str, ...]
    about: str
    adapter: str
    inapplicable: Mapping[str, str]
    sdist: str | None = None


IRONICS = 'ironic/tests/unit/common/test_glance_service.py'
ABOUT_IMAGES = (r'TestGlanceSwiftTempURL\.|TestSwiftTempUrlCache\.'
              r'|TestServiceUtils\.test_parse_image_id|TestIsImageAvailable\.')
SWIFTS = 'test/unit/common/middleware/test_tempurl.py'
GLANCES = ('glance_store.tests.unit.test_swift_store',
           'glance_store.tests.unit.test_swift_store_multibackend')

PEERS = {
    'ironic': Peer(('ironic.tests.unit.common.test_glance_service',), ABOUT_IMAGES, 'ironic',
                   {'TestSwiftTempUrlCache': OUR_CACHE,
                    'test_allow_(access_via_auth_token|admin_if_config)_enabled':
                        'Ironic can be set up to ask for no more than that',
                    'test_allow_(private_image_owned_by_conductor|shared_image_if_member)':
                        'the conductor has the project None there, whom we take for nobody'}),
    'ironic-queens': Peer((IRONICS,), ABOUT_IMAGES, 'ironic_queens', {
        'TestSwiftTempUrlCache': OUR_CACHE,
        'test__validate_temp_url_key_exception':
            'the key of a RADOS Gateway is looked up, too, where it is not given',
    }, 'ironic==10.1.10'),
    'ironic-pike': Peer((IRONICS,), ABOUT_IMAGES, 'ironic_pike',
                        {'TestSwiftTempUrlCache': OUR_CACHE}, 'ironic==9.1.6'),
    'python-swiftclient': Peer(('test/unit/test_utils.py',), 'TestTempURL', 'swiftclient', {
        **OF_URLS, 'TestTempURLInfoPath': '/info is no object',
    }, 'python-swiftclient==4.11.0'),
    'openstacksdk': Peer(('openstack.tests.unit.object_store.v1.test_proxy',),
                         r'TestTempURL\w*\.test_generate', 'openstacksdk', OF_URLS),
    'swift-signing': Peer((SWIFTS,), r'TestTempURL\.', 'swift_signing', {}, 'swift==2.38.3'),
    'swift-verifying': Peer((SWIFTS,), r'TestTempURL\.', 'swift_verifying', {
        'test_get_hmacs': 'there is no URL to verify; swift-signing has it'}, 'swift==2.38.3'),
    'glance_store': Peer(GLANCES, r'(StoreAuthV3|TenantStore\w*|CreatingLocations'
                                  r'|MultipleContainers)\.', 'glance_store', {}),
}
