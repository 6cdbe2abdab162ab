"""Which location is trusted; the object store says who asks, and which hosts are Swift's.

The store is a stub: what is judged here are values, in more forms than a cloud would take.
"""

import dataclasses

import pytest

from osc_imgurl.errors import ImageUnacceptable, MissingParameterValue, UntrustedLocation
from osc_imgurl.glance.image import Image
from osc_imgurl.glance.location import parse
from osc_imgurl.settings.table import Kind, Settings, Source
from osc_imgurl.target.trust import (
    distrust_reason,
    find_trusted,
    locations_in_swift,
    unsafe_to_read,
    validate_in_swift,
)

from ..stubs import OFFLINE

IMAGE_ID = '3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5'
OTHER_ID = '7bd1c4d2-0e57-4a8c-8d0c-5f6f6f1f8a11'
OWN = f'glance_{IMAGE_ID}/{IMAGE_ID}'
PLAIN = Settings()


class Store:
    def project_names(self):
        return {'9f2a', 'service'}

    def find_storage_url(self):
        return 'https://swift.example.com/v1/AUTH_9f2a'

    def auth_urls(self):
        return {'http://keystone:5000/v3/', 'https://keystone', 'https://api.example.com/identity'}

    def endpoints(self):
        return {'https://swift.example.com', 'http://swift.internal:8080', 'http://plain',
                'https://rgw.example.com/swift'}


@pytest.mark.parametrize(('uri', 'settings'), [
    (f'swift+config://ref1/glance/{IMAGE_ID}', PLAIN),
    # Nobody but Glance writes such a location, whatever it names.
    ('swift+config://ref1/elsewhere/renamed', Settings(account='AUTH_x')),
    (f'swift+http://service%3Aglance:pw@keystone:5000/v3/glance_3a1/{IMAGE_ID}', PLAIN),
    (f'swift+https://9f2a%3Aglance:p:w@keystone/v3/images/{IMAGE_ID}', PLAIN),
    (f'swift+http://demo%3Ademo:pw@keystone/v3/glance/{IMAGE_ID}', Settings(account='AUTH_x')),
    (f'swift+http://demo%3Ademo:pw@keystone/v3/images_3a1/{IMAGE_ID}',
     Settings(account='AUTH_x', container='images', multiple_containers_seed=3)),
    (f'swift+https://swift.example.com/v1/AUTH_x/{OWN}', PLAIN),
    (f'swift+https://swift.example.com:443/v1/AUTH_x/images_{IMAGE_ID}/{IMAGE_ID}', PLAIN),
    (f'swift+http://plain:80/v1/AUTH_x/{OWN}', PLAIN),
    (f'swift+https://SWIFT.example.com/v1/AUTH_x/glance/{IMAGE_ID}', PLAIN),
    (f'swift+http://swift.internal:8080/v1/AUTH_x/glance_3a1/{IMAGE_ID}',
     Settings(multiple_containers_seed=3)),
    (f'swift+https://api.example.com/identity/v3/glance/{IMAGE_ID}'.replace(
        '//', '//service%3Aglance:pw@'), PLAIN),
    # A store with application credentials.
    (f'swift+http://keystone:5000/v3/glance/{IMAGE_ID}', PLAIN),
    (f'swift+https://api.example.com/identity/v3/images_3a1/{IMAGE_ID}',
     Settings(container='images', multiple_containers_seed=3)),
    (f'swift+http://proxy.example.com/v1/AUTH_x/{OWN}',
     Settings(endpoint_url='http://proxy.example.com')),
])
def test_trusted(uri, settings):
    assert distrust_reason(parse(uri), IMAGE_ID, settings, Store()) == ''


@pytest.mark.parametrize(('uri', 'settings', 'why'), [
    (f'swift+http://service%3Aglance:pw@keystone/v3/glance/{OTHER_ID}', PLAIN,
     f'its object is {OTHER_ID}'),
    (f'swift+http://service%3Aglance:pw@keystone/v3/glance/{IMAGE_ID.upper()}', PLAIN,
     'its object is'),
    (f'swift+http://service%3Aglance:pw@keystone/v3/glance/{IMAGE_ID}?x', PLAIN,
     'not of a form that Glance writes'),
    # Where Glance goes by the netloc, and the eye by the last @.
    (f'swift+https://evil.example.com/v1/AUTH_x@keystone/v3/glance/{IMAGE_ID}', PLAIN,
     'not of a form that Glance writes'),
    (f'swift+https://evil.example.com/v1/AUTH_x@keystone/v3/glance/{IMAGE_ID}',
     Settings(account='AUTH_x'), 'not of a form that Glance writes'),
    (f'swift+https://swift.example.com/v1/AUTH_x/glance_{IMAGE_ID}/', PLAIN,
     'not of a form that Glance writes'),
    (f'swift+config://ref1/glance//{IMAGE_ID}', PLAIN, 'not of a form that Glance writes'),
    # Application credentials stand in no location; its container is the settings'.
    (f'swift+http://keystone:5000/v3/other/{IMAGE_ID}', PLAIN,
     'its container is other, and the settings give glance'),
    (f'swift+http://keystone:5000/v3/glance_{IMAGE_ID}/{IMAGE_ID}', PLAIN,
     'the settings give glance'),
    (f'swift+http://keystone:5000/v3/glance/{OTHER_ID}', PLAIN, f'its object is {OTHER_ID}'),
    (f'swift+http://keystone:5001/v3/glance/{IMAGE_ID}', PLAIN, 'its endpoint is not one of'),
    (f'swift+http://demo%3Ademo:pw@keystone/v3/glance/{IMAGE_ID}', PLAIN,
     'of the project demo, and not of yours'),
    (f'swift+http://demo:pw@keystone/v3/glance/{IMAGE_ID}', PLAIN,
     'of the project None, and not of yours'),
    (f'swift+http://***:x@keystone/v3/glance/{IMAGE_ID}', PLAIN,
     'of the project None, and not of yours'),
    (f'swift+http://***@keystone/v3/glance/{IMAGE_ID}', PLAIN,
     'not of a form that Glance writes'),
    (f'swift+http://service%3Aglance:pw@keystone/v3/other/{IMAGE_ID}',
     Settings(account='AUTH_x'), 'its container is other, and the settings give glance'),
    (f'swift+http://service%3Aglance:pw@keystone/v3/glance/{IMAGE_ID}',
     Settings(account='AUTH_x', multiple_containers_seed=3), 'the settings give glance_3a1'),
    (f'swift+https://swift.example.com/v1/AUTH_x/glance_{OTHER_ID}/{OTHER_ID}', PLAIN,
     f'its object is {OTHER_ID}'),
    (f'swift+https://swift.example.com/v1/AUTH_x/glance_{OTHER_ID}/{IMAGE_ID}', PLAIN,
     'is not one that Glance makes for this image'),
    (f'swift+https://swift.example.com/v1/AUTH_x/glance{IMAGE_ID}/{IMAGE_ID}', PLAIN,
     'is not one that Glance makes for this image'),
    (f'swift+https://evil.example.com/v1/AUTH_x/{OWN}', PLAIN, 'its endpoint is not one of'),
    (f'swift+http://swift.example.com/v1/AUTH_x/{OWN}', PLAIN, 'its endpoint is not one of'),
    (f'swift+https://swift.example.com:8443/v1/AUTH_x/{OWN}', PLAIN, 'its endpoint is not one of'),
    (f'swift+https://swift.example.com.evil/v1/AUTH_x/{OWN}', PLAIN, 'its endpoint is not one of'),
    (f'swift+https://swift.example.com@evil/v1/AUTH_x/{OWN}', PLAIN,
     'not of a form that Glance writes'),
    (f'swift+https://swift.example.com:443@evil/v1/AUTH_x/{OWN}', PLAIN, 'not of yours'),
    (f'swift+http://[/v1/AUTH_x/{OWN}', PLAIN, 'not of a form that Glance writes'),
    (f'swift+http://:8080/v1/AUTH_x/{OWN}', PLAIN, 'not of a form that Glance writes'),
    (f'swift+http://swift.internal:x/v1/AUTH_x/{OWN}', PLAIN, 'not of a form that Glance writes'),
    # A path inside a container that looks like another account's object.
    (f'swift+https://swift.example.com/v1/AUTH_own/c/v1/AUTH_x/{OWN}', PLAIN,
     'its endpoint is not one of'),
    (f'swift+https://swift.example.com/v1/AUTH_own/c/v1/{OWN}', PLAIN, 'its endpoint is not one'),
    (f'swift+https://swift.example.com/v1/AUTH_own/{OWN}/../{OWN}', PLAIN,
     'not of a form that Glance writes'),
    (f'swift+https://swift.example.com/other/v1/AUTH_x/{OWN}', PLAIN, 'its endpoint is not one of'),
    (f'swift+https://swift.example.com/v1/{OWN}', PLAIN, 'it names no account'),
    # Credentials for a Keystone where anybody can make them up.
    (f'swift+http://service%3Aglance:pw@evil:5000/v3/glance/{IMAGE_ID}', PLAIN,
     'not for the Keystone of this cloud'),
    (f'swift+http://service%3Aglance:pw@keystone:5001/v3/glance/{IMAGE_ID}', PLAIN,
     'not for the Keystone of this cloud'),
    (f'swift+https://service%3Ax:pw@swift.example.com/v1/AUTH_x/private/{IMAGE_ID}', PLAIN,
     'not for the Keystone of this cloud'),
    (f'swift+https://service%3Ax:pw@api.example.com/v3/private/{IMAGE_ID}', PLAIN,
     'not for the Keystone of this cloud'),
])
def test_not_trusted(uri, settings, why):
    location = parse(uri)
    assert why in distrust_reason(location, IMAGE_ID, settings, Store())
    assert 'pw' not in distrust_reason(location, IMAGE_ID, settings, Store())


class Gateway(Store):
    def __init__(self, account=''):
        self.account = account

    def find_storage_url(self):
        return f'https://rgw.example.com/swift/v1{self.account}'


WITH_ACCOUNT = Gateway('/AUTH_9f2a')
BUCKET = Settings(container='images')


@pytest.mark.parametrize('uri', [
    f's3://rgw.example.com/images/{IMAGE_ID}', f's3+https://rgw.example.com/images/{IMAGE_ID}',
    # Host and credentials are anybody's: nothing goes there.
    f's3://elsewhere/images/{IMAGE_ID}', f's3://KEY:secret@rgw.example.com/images/{IMAGE_ID}'])
@pytest.mark.parametrize('settings', [
    BUCKET, Settings(container='images', multiple_containers_seed=3),
    Settings(container='images', multi_tenant=True)])
@pytest.mark.parametrize('swift', [Gateway(), WITH_ACCOUNT], ids=['', 'with account'])
def test_a_bucket_of_a_gateway(uri, settings, swift):
    """An S3 store has no sharding."""
    assert find_trusted(image(uri), settings, swift).container == 'images'


@pytest.mark.parametrize(('uri', 'settings', 'why'), [
    (f's3://rgw/other/{IMAGE_ID}', BUCKET, 'its bucket is other, and the settings give images'),
    (f's3://rgw/images_3a1/{IMAGE_ID}',
     Settings(container='images', multiple_containers_seed=3), 'its bucket is images_3a1'),
    (f's3://rgw/images_{IMAGE_ID}/{IMAGE_ID}', BUCKET, 'its bucket is images_'),
    (f's3://rgw/images/{OTHER_ID}', BUCKET, f'its object is {OTHER_ID}'),
    (f's3://rgw/images/{IMAGE_ID.upper()}', BUCKET, 'its object is'),
    (f's3://rgw/images/x/{IMAGE_ID}', BUCKET, 'its bucket is x'),
    (f's3://rgw/images/{IMAGE_ID}?x', BUCKET, 'not of a form that Glance writes'),
    (f's3://rgw/other/{OTHER_ID}#/images/{IMAGE_ID}', BUCKET, 'not of a form that Glance writes'),
    (f's3://images/{IMAGE_ID}', BUCKET, 'not of a form that Glance writes'),
    # A Swift store has a container by default, and an S3 store no bucket.
    (f's3://rgw/glance/{IMAGE_ID}', PLAIN,
     'its bucket is glance, and neither a container nor a glance-api.conf is given')])
@pytest.mark.parametrize('swift', [Gateway(), WITH_ACCOUNT], ids=['', 'with account'])
def test_a_bucket_that_is_not_trusted(uri, settings, why, swift):
    with pytest.raises(UntrustedLocation) as raised:
        find_trusted(image(uri), settings, swift)
    assert why in str(raised.value)


def test_a_bucket_that_is_named_like_glances_container():
    given = Settings(sources={'container': Source(Kind.OPTION, '--container')})
    assert find_trusted(image(f's3://rgw/glance/{IMAGE_ID}'), given, Gateway())


@pytest.mark.parametrize(('settings', 'swift'), [
    (BUCKET, Store()), (BUCKET, OFFLINE),
    (dataclasses.replace(BUCKET, endpoint_url='https://proxy.example.com'), OFFLINE),
    (dataclasses.replace(BUCKET, endpoint_type='swift'), Store())])
def test_s3_where_there_is_no_gateway(settings, swift):
    """Only the gateway that keeps the buckets has temporary URLs for them."""
    found = image(f's3://rgw/images/{IMAGE_ID}')
    assert find_trusted(found, settings, swift) is None
    with pytest.raises(ImageUnacceptable, match=r'is not in Swift but in s3, and only'):
        validate_in_swift(found, settings, swift)


HIDDEN = dataclasses.replace(BUCKET, s3=True)


def test_a_hidden_s3_store():
    found = Image(IMAGE_ID, stores=('s31',))
    given = dataclasses.replace(HIDDEN, endpoint_url='https://proxy.example.com')
    for settings, swift in (HIDDEN, Store()), (given, OFFLINE):
        with pytest.raises(ImageUnacceptable, match=r'not in Swift but in s3 \(store s31\), and'):
            validate_in_swift(found, settings, swift)
    with pytest.raises(MissingParameterValue, match='endpoint of Swift is unknown'):
        validate_in_swift(found, HIDDEN, OFFLINE)
    validate_in_swift(found, HIDDEN, Gateway())


def test_a_gateway_that_the_settings_name():
    found = image(f's3://rgw/images/{IMAGE_ID}')
    for given in ({'endpoint_type': 'radosgw', 'endpoint_url': 'https://rgw'},
                  {'endpoint_url': 'https://rgw/swift'}):
        settings = dataclasses.replace(BUCKET, **given)
        assert find_trusted(found, settings, OFFLINE) and find_trusted(found, settings, Store())


SWIFT, RBD, FILE, S3 = (f'{start}/{IMAGE_ID}' for start in (
    'swift+config://ref1/glance', 'rbd://fsid/images', 'file:///images', 's3://rgw/images'))


@pytest.mark.parametrize(('locations', 'in_swift', 'on_gateway'), [
    ((), (), ()), ((SWIFT,), (SWIFT,), (SWIFT,)), ((RBD, SWIFT), (SWIFT,), (SWIFT,)),
    ((S3, FILE, SWIFT), (SWIFT,), (S3, SWIFT)), ((S3, FILE), (), (S3,))])
def test_which_locations_are_in_swift(locations, in_swift, on_gateway):
    found = image(*locations)
    for swift, wanted in (Store(), in_swift), (Gateway(), on_gateway):
        assert tuple(each.url for each in locations_in_swift(found, BUCKET, swift)) == wanted
        if wanted or not locations:
            validate_in_swift(found, BUCKET, swift)


@pytest.mark.parametrize(('locations', 'stores', 'said'), [
    ([(RBD, None)], (), 'rbd'),
    ([(RBD, 'fast'), (FILE, 'slow'), (FILE, None)], (), 'rbd, file (store fast, slow)'),
    ([(RBD, 'fast')], ('slow', 'fast'), 'rbd (store slow, fast)'),
    ([(S3, 's31')], (), 's3 (store s31)')])
def test_an_image_outside_swift(locations, stores, said):
    found = Image(IMAGE_ID, stores=stores, locations=tuple(parse(*each) for each in locations))
    with pytest.raises(ImageUnacceptable) as caught:
        validate_in_swift(found, BUCKET, Store())
    assert str(caught.value) == (
        f'Image {IMAGE_ID} is not in Swift but in {said}, and only Swift has temporary URLs. Copy'
        ' it into a Swift store, or download it with a token (copy the image to another store,'
        ' download the image with a token).')


def test_a_gateway_without_accounts():
    location = parse(f'swift+https://rgw.example.com/swift/v1/{OWN}')
    assert distrust_reason(location, IMAGE_ID, PLAIN, Gateway()) == ''
    assert distrust_reason(location, IMAGE_ID, PLAIN, Store()) == 'it names no account'
    given = Settings(endpoint_url='https://rgw.example.com/swift')
    assert distrust_reason(location, IMAGE_ID, given, OFFLINE) == 'it names no account'
    given = Settings(endpoint_url='https://rgw.example.com/swift', endpoint_type='radosgw')
    assert distrust_reason(location, IMAGE_ID, given, OFFLINE) == ''


def test_with_nobody_to_ask():
    given = Settings(endpoint_url='https://swift.example.com', account='AUTH_x')
    for uri, trusted in (
            (f'swift+config://ref1/glance/{IMAGE_ID}', True),
            (f'swift+http://service%3Aglance:pw@keystone/v3/glance/{IMAGE_ID}', True),
            (f'swift+https://swift.example.com/v1/AUTH_x/{OWN}', True),
            (f'swift+https://other.example.com/v1/AUTH_x/{OWN}', False)):
        assert (distrust_reason(parse(uri), IMAGE_ID, given, OFFLINE) == '') is trusted
    assert distrust_reason(parse(f'swift+http://service%3Aglance:pw@keystone/v3/glance/{IMAGE_ID}'),
                 IMAGE_ID, PLAIN, OFFLINE)


def image(*uris):
    return Image(IMAGE_ID, locations=tuple(map(parse, uris)))


def test_the_first_trusted_location_counts():
    planted = f'swift+https://evil.example.com/v1/AUTH_x/{OWN}'
    good = f'swift+https://swift.example.com/v1/AUTH_x/{OWN}'
    found = find_trusted(image('file:///x', planted, good), PLAIN, Store())
    assert found.url == good
    assert find_trusted(image('file:///x'), PLAIN, Store()) is None
    assert find_trusted(image(), PLAIN, Store()) is None


def test_no_location_is_trusted():
    with pytest.raises(UntrustedLocation) as raised:
        find_trusted(image(f'swift+https://evil.example.com/v1/AUTH_x/{OWN}',
                            f'swift+http://demo%3Ademo:pw@keystone/v3/glance/{OTHER_ID}'),
                      PLAIN, Store())
    text = str(raised.value)
    assert 'evil.example.com' in text and f'its object is {OTHER_ID}' in text
    assert raised.value.names == ('container', 'object', 'account', 'key_file')
    assert 'pw' not in text


@pytest.mark.parametrize(('misled', 'uris'), [
    (False, []),
    (False, ['rbd://pool/other', 'file:///x', 'filesystem:///x', 'cinder://store/x',
             'http://x/y', 'https://x/y', 's3://x/y/z', 's3+https://a:b@x/y/z']),
    # Only what is known to be harmless is.
    (True, ['sheepdog://x']), (True, ['nonsense']), (True, ['ftp://x/y']), (True, ['']),
    (True, ['rbd://pool/x', f'SWIFT+HTTP://attacker.example.com/v1/AUTH_x/{OWN}']),
    (True, [f'swift+http://attacker.example.com/v1/AUTH_x@keystone:5000/v3/glance/{IMAGE_ID}']),
    (True, [f'swift+http://keystone:5000/v3@attacker.example.com/v3/glance/{IMAGE_ID}']),
    (True, [f'swift+https://swift.example.com/v1/AUTH_x/glance_{IMAGE_ID}/']),
    (True, [f'swift+config://ref1//{IMAGE_ID}']),
    # A store with application credentials, in whichever container.
    (False, [f'swift+http://keystone:5000/v3/glance/{IMAGE_ID}']),
    (False, [f'swift+http://keystone:5000/v3/glance_3a1/{IMAGE_ID}']),
    (True, [f'swift+http://keystone:5000/v3/glance/{OTHER_ID}']),
    # A single-tenant store uses the credentials that are there.
    (False, [f'swift+http://demo%3Ademo:pw@keystone:5000/v3/glance/{IMAGE_ID}']),
    (True, [f'swift+http://demo%3Ademo:pw@elsewhere/v3/glance/{IMAGE_ID}']),
    # Nobody but Glance writes such a location.
    (False, ['swift+config://ref1/glance/renamed']),
    (False, [f'swift+https://swift.example.com/v1/AUTH_x/{OWN}']),
    (True, [f'swift+http://swift.example.com/v1/AUTH_x/glance_{OTHER_ID}/{OTHER_ID}']),
    (True, [f'swift+http://attacker.example.com/v1/AUTH_x/{OWN}']),
    (True, [f'swift+https://swift.example.com/v1/AUTH_x/whatever/{IMAGE_ID}']),
    (True, [f'swift+config://ref1/glance/{IMAGE_ID}',
            f'swift+http://demo%3Ademo:pw@keystone/v3/glance/{OTHER_ID}'])])
def test_where_glance_is_misled(misled, uris):
    """It may read the first location, or any other where that fails."""
    image = Image(IMAGE_ID, locations=tuple(map(parse, uris)))
    assert bool(unsafe_to_read(image, PLAIN, Store())) is misled


def test_a_token_goes_to_no_endpoint_that_is_merely_given():
    image = Image(IMAGE_ID, locations=(parse(f'swift+http://proxy.example.com/v1/AUTH_x/{OWN}'),))
    given = Settings(endpoint_url='http://proxy.example.com')
    assert distrust_reason(image.locations[0], IMAGE_ID, given, Store()) == ''
    assert unsafe_to_read(image, given, Store())
