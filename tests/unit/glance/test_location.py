import pytest

from osc_imgurl.glance.location import Location, mask, parse

IMAGE_ID = '3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5'


@pytest.mark.parametrize(('uri', 'wanted'), [
    (f'swift+config://ref1/glance/{IMAGE_ID}',
     Location('swift+config', f'swift+config://ref1/glance/{IMAGE_ID}',
              container='glance', object=IMAGE_ID)),
    (f'swift+https://service%3Aglance:secret@keystone:5000/v3/glance_3a1/{IMAGE_ID}',
     Location('swift+https', f'swift+https://***@keystone:5000/v3/glance_3a1/{IMAGE_ID}',
              has_credentials=True, project='service',
              auth_url='https://keystone:5000/v3', container='glance_3a1',
              object=IMAGE_ID)),
    (f'swift://account:user:secret@keystone/v3/glance/{IMAGE_ID}',
     Location('swift', f'swift://***@keystone/v3/glance/{IMAGE_ID}',
              has_credentials=True, project='account',
              auth_url='https://keystone/v3', container='glance', object=IMAGE_ID)),
    (f'swift+http://swift:8080/v1/AUTH_x/glance_{IMAGE_ID}/{IMAGE_ID}',
     Location('swift+http', f'swift+http://swift:8080/v1/AUTH_x/glance_{IMAGE_ID}/{IMAGE_ID}',
              endpoint='http://swift:8080', account='AUTH_x', container=f'glance_{IMAGE_ID}',
              object=IMAGE_ID)),
    (f'swift+https://rgw/swift/v1/glance/{IMAGE_ID}',
     Location('swift+https', f'swift+https://rgw/swift/v1/glance/{IMAGE_ID}',
              endpoint='https://rgw/swift', container='glance', object=IMAGE_ID)),
])
def test_in_swift(uri, wanted):
    location = parse(uri)
    assert location == wanted
    assert location.in_swift


@pytest.mark.parametrize(('uri', 'scheme'), [
    ('rbd://fsid/images/x/snap', 'rbd'), ('https://images.example.com/x.img', 'https'),
    ('swift+config://ref1/', 'swift+config'), ('nonsense', 'nonsense'), ('://x', 'unknown'),
    ('', 'unknown')])
def test_scheme(uri, scheme):
    assert parse(uri).scheme == scheme


@pytest.mark.parametrize('uri', [
    f'rbd://fsid/images/{IMAGE_ID}/snap', f'file:///var/lib/glance/images/{IMAGE_ID}',
    'http://images.example.com/cirros.img', 'https://images.example.com/a@b.img',
    f'cinder://store/{IMAGE_ID}', f'sheepdog://127.0.0.1:7000:{IMAGE_ID}',
    'vsphere://host/folder/x?dcPath=dc&dsName=ds', 'swift+config://ref1/', 'nonsense',
])
def test_elsewhere(uri):
    location = parse(uri, 'a store')
    assert not location.in_swift
    assert (location.url, location.has_credentials, location.store) == (uri, False, 'a store')


@pytest.mark.parametrize(('uri', 'masked'), [
    ('swift+http://user:pa/ss@w?rd@keystone/v3/glance/x', 'swift+http://***@keystone/v3/glance/x'),
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
