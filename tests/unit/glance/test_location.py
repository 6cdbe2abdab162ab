import pytest

from osc_imgurl.glance.location import Location, container_name, mask, parse

IMAGE_ID = '3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5'


@pytest.mark.parametrize(('uri', 'wanted'), [
    (f'swift+config://ref1/glance/{IMAGE_ID}',
     Location('swift+config', f'swift+config://ref1/glance/{IMAGE_ID}',
              container='glance', object=IMAGE_ID)),
    (f'swift+https://service%3Aglance:secret@keystone:5000/v3/glance_3a1/{IMAGE_ID}',
     Location('swift+https', f'swift+https://***@keystone:5000/v3/glance_3a1/{IMAGE_ID}',
              True, 'service', 'https://keystone:5000/v3', 'glance_3a1', IMAGE_ID)),
    (f'swift://account:user:secret@keystone/v3/glance/{IMAGE_ID}',
     Location('swift', f'swift://***@keystone/v3/glance/{IMAGE_ID}',
              True, 'account', 'https://keystone/v3', 'glance', IMAGE_ID)),
    (f'swift+http://swift:8080/v1/AUTH_x/glance_{IMAGE_ID}/{IMAGE_ID}',
     Location('swift+http', f'swift+http://swift:8080/v1/AUTH_x/glance_{IMAGE_ID}/{IMAGE_ID}',
              base_url='http://swift:8080/v1/AUTH_x', container=f'glance_{IMAGE_ID}',
              object=IMAGE_ID)),
    (f'swift+https://rgw/swift/v1/glance/{IMAGE_ID}',
     Location('swift+https', f'swift+https://rgw/swift/v1/glance/{IMAGE_ID}',
              base_url='https://rgw/swift/v1', container='glance', object=IMAGE_ID)),
])
def test_in_swift(uri, wanted):
    location = parse(uri)
    assert location == wanted
    assert location.in_swift and not location.problem


# As two releases of glance_store write and read it; the secret is of the form of Amazon's.
@pytest.mark.parametrize(('uri', 'shown', 'has_credentials'), [
    (f's3://rgw:8080/bucket/{IMAGE_ID}', f's3://rgw:8080/bucket/{IMAGE_ID}', False),
    (f's3+https://[::1]:8080/bucket/{IMAGE_ID}', f's3+https://[::1]:8080/bucket/{IMAGE_ID}', False),
    (f's3+http://s3.example.com/below/bucket/{IMAGE_ID}',
     f's3+http://s3.example.com/below/bucket/{IMAGE_ID}', False),
    (f's3://ACCESS:se/cr//et+.=@rgw/bucket/{IMAGE_ID}', f's3://***@rgw/bucket/{IMAGE_ID}', True),
    (f's3+https://ACCESS:./../secret@rgw/bucket/{IMAGE_ID}',
     f's3+https://***@rgw/bucket/{IMAGE_ID}', True)])
def test_in_s3(uri, shown, has_credentials):
    location = parse(uri, 'a store')
    assert (location.url, location.has_credentials, location.container, location.object) == (
        shown, has_credentials, 'bucket', IMAGE_ID)
    assert location.in_s3 and not location.in_swift and not location.problem
    # Nothing is to go there.
    assert (location.auth_url, location.endpoint, location.account, location.project) == (
        None,) * 4
    assert location.store == 'a store'


@pytest.mark.parametrize('uri', [
    f's3://EVIL/bucket/{IMAGE_ID}?x', f's3://EVIL/bucket/{IMAGE_ID}#x', f's3://EVIL/b/c@d/{IMAGE_ID}',
    f's3://EVIL/bucket/{IMAGE_ID}/', f's3://EVIL/bucket//{IMAGE_ID}', f's3://EVIL//b/{IMAGE_ID}',
    f's3://EVIL/../bucket/{IMAGE_ID}', f's3://EVIL/bucket/%2e/{IMAGE_ID}', f's3:///b/{IMAGE_ID}',
    f's3://{IMAGE_ID}', f's3://bucket/{IMAGE_ID}', f'S3://EVIL/bucket/{IMAGE_ID}',
    f' s3://EVIL/bucket/{IMAGE_ID}', f's3://EVIL/buc\nket/{IMAGE_ID}', 's3://', 's3+https://a:b@',
    f's3://ACCESS@EVIL/bucket/{IMAGE_ID}', f's3://a:b@c:d@EVIL/bucket/{IMAGE_ID}',
    f's3://a:b?c@EVIL/bucket/{IMAGE_ID}', f's3://a:b:c@EVIL/bucket/{IMAGE_ID}',
    f's3://a:b@EVIL\\/bucket/{IMAGE_ID}', f's3://a:b@https://EVIL/bucket/{IMAGE_ID}',
    f's3+ftp://EVIL/bucket/{IMAGE_ID}'])
def test_in_s3_and_not_understood(uri):
    location = parse(uri)
    assert location.container is None and location.object is None
    assert location.in_s3 == bool(location.problem)


@pytest.mark.parametrize(('uri', 'auth_url', 'endpoint', 'account'), [
    (f'swift+https://p%3Au:secret@keystone/v3/c/{IMAGE_ID}', 'https://keystone/v3', None, None),
    (f'swift+http://swift/v1/AUTH_x/c/{IMAGE_ID}', None, 'http://swift', 'AUTH_x'),
    (f'swift+http://rgw/swift/v1/c/{IMAGE_ID}', None, 'http://rgw/swift', None),
    (f'swift+config://ref1/c/{IMAGE_ID}', None, None, None)])
def test_what_stands_before_the_container(uri, auth_url, endpoint, account):
    location = parse(uri)
    assert (location.auth_url, location.endpoint, location.account) == (
        auth_url, endpoint, account)


@pytest.mark.parametrize('uri', [
    f'swift+http://EVIL/v1/AUTH_x@KEYSTONE/v3/glance/{IMAGE_ID}',
    f'swift+http://EVIL/v1/AUTH_x/c/o?@KEYSTONE/v3/glance/{IMAGE_ID}',
    f'swift+http://EVIL/v1/AUTH_x/c/o#@KEYSTONE/v3/glance/{IMAGE_ID}',
    f'swift+http://EVIL/v1/AUTH_x/glance_{IMAGE_ID}/', f'swift+http://EVIL/v1/AUTH_x//{IMAGE_ID}',
    f'swift+http://EVIL//v1/AUTH_x/glance/{IMAGE_ID}', f'swift+http://EVIL/{IMAGE_ID}',
    f'swift+http://EVIL/v1/AUTH_x/./glance/{IMAGE_ID}',
    f'swift+http://EVIL/v1/AUTH_x/c/../glance/{IMAGE_ID}',
    f'swift+http://EVIL/v1/AUTH_x/glance/{IMAGE_ID}?x', f'swift+http://EVIL/v1/c/{IMAGE_ID}#',
    f'swift+http://a@b:c@EVIL/v1/c/{IMAGE_ID}', f'swift+http://a:b@EVIL:x/v1/c/{IMAGE_ID}',
    f'swift+http:///u:p@EVIL/v1/c/{IMAGE_ID}', f'swift+http:///EVIL/v1/AUTH_x/c/{IMAGE_ID}',
    f'swift+http://EVIL\\@keystone/v1/c/{IMAGE_ID}', f'swift+http://EVIL/v1/AUTH_%78/c/{IMAGE_ID}',
    f'SWIFT+HTTP://EVIL/v1/AUTH_x/c/{IMAGE_ID}', f' swift+http://EVIL/v1/AUTH_x/c/{IMAGE_ID}',
    f'swift+ht\ttp://EVIL/v1/AUTH_x/c/{IMAGE_ID}', f'swift+http://EV\nIL/v1/A/c/{IMAGE_ID}',
    f'swift+http://EVIL/v1/AUTH_x/c/{IMAGE_ID}\n', f'\x00swift://EVIL/v1/AUTH_x/c/{IMAGE_ID}',
    f'swift+http://[EVIL/v1/AUTH_x/c/{IMAGE_ID}', f'swift+config://EVIL@ref1/c/{IMAGE_ID}',
    'swift+config://ref1/', 'swift://EVIL', 'swift+https://'])
def test_in_swift_and_not_understood(uri):
    location = parse(uri, 'a store')
    assert location.in_swift and location.problem
    assert (location.container, location.object, location.auth_url, location.endpoint,
            location.account, location.project) == (None,) * 6
    assert location.store == 'a store'


@pytest.mark.parametrize(('uri', 'scheme'), [
    ('rbd://fsid/images/x/snap', 'rbd'), ('https://images.example.com/x.img', 'https'),
    ('swift+config://ref1/', 'swift+config'), ('Swift+HTTP://x/y/z', 'swift+http'),
    ('swift+ht\ttps://x/y/z', 'swift+https'), ('nonsense', 'nonsense'), ('://x', 'unknown'),
    ('', 'unknown')])
def test_scheme(uri, scheme):
    assert parse(uri).scheme == scheme


@pytest.mark.parametrize('uri', [
    f'rbd://fsid/images/{IMAGE_ID}/snap', f'file:///var/lib/glance/images/{IMAGE_ID}',
    'http://images.example.com/cirros.img', 'https://images.example.com/a@b.img',
    f'cinder://store/{IMAGE_ID}', f'sheepdog://127.0.0.1:7000:{IMAGE_ID}',
    'vsphere://host/folder/x?dcPath=dc&dsName=ds', 'nonsense',
])
def test_elsewhere(uri):
    location = parse(uri, 'a store')
    assert not location.in_swift and not location.problem
    assert (location.url, location.has_credentials, location.store) == (uri, False, 'a store')


@pytest.mark.parametrize(('uri', 'masked'), [
    ('swift+http://user:secret@keystone/v3/glance/x', 'swift+http://***@keystone/v3/glance/x'),
    # The host that glance_store finds in it, and nothing that may be of the password.
    ('swift+http://user:12/sec@w?rd@keystone/v3/glance/x', 'swift+http://***@user/***'),
    ('swift+http://[user:12/sec@x/v3/glance/x', 'swift+http://***'),
    ('swift+http://swift/v1/a/c/o?temp_url_sig=secret', 'swift+http://swift/v1/a/c/o?***'),
    ('s3+https://ACCESS:sec/ret+key=@s3.example.com/bucket/x',
     's3+https://***@s3.example.com/bucket/x'),
    ('https://user:secret@images.example.com/x.img', 'https://***@images.example.com/x.img'),
    ('http://swift/v1/a/c/o?temp_url_sig=secret&temp_url_expires=1',
     'http://swift/v1/a/c/o?***'),
    ('https://swift/v1/a/c/o?temp_url_sig=secret', 'https://swift/v1/a/c/o?***'),
])
def test_mask(uri, masked):
    assert mask(uri) == masked
    location = parse(uri)
    assert location.url == masked
    assert 'sec' not in repr(location)


@pytest.mark.parametrize(('seed', 'name'), [
    (0, 'glance'),
    (1, 'glance_3'),
    (8, 'glance_3a1f6de0'),
    # A dash among the first characters makes the name longer by one.
    (9, 'glance_3a1f6de0-9'),
    (14, 'glance_3a1f6de0-93c4-4b'),
    (32, f'glance_{IMAGE_ID}'),
])
def test_container_name(seed, name):
    assert container_name('glance', IMAGE_ID, seed) == name
    assert container_name('glance', IMAGE_ID.upper(), seed) == name
