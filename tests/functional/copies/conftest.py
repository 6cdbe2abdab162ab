"""What the tests of copies share: a cloud whose images have segments, and demo's account there."""

import secrets

import pytest

from ..proxy import proxy

CREATE = ['image', 'temp', 'url', 'create']
CONTAINER = 'image-temp-urls'
SEGMENT = 1_000_000
# The end of the path of an image's data.
FILE = '/file'


class Account:
    """What is in demo's account, looked at past the plugin."""

    def __init__(self, cloud):
        self.swift = cloud.sdk('demo').object_store

    def head(self, name=''):
        return self.swift.head(f'/{CONTAINER}/{name}'.rstrip('/'))

    def names(self, prefix):
        listed = self.swift.get(f'/{CONTAINER}', params={'format': 'json', 'prefix': prefix})
        return [each['name'] for each in listed.json()] if listed.ok else []

    def copies(self, image_id):
        """Return the names of an image's copies."""
        return self.names(image_id)

    def segments(self, image_id):
        return self.names(f'.segments/{image_id}/')

    def ends(self, image_id):
        """Return when its copies and each of their segments are deleted: Unix times."""
        return [int(self.head(name).headers['X-Delete-At'])
                for name in (*self.copies(image_id), *self.segments(image_id))]

    def put(self, name, data=b'', **headers):
        assert self.swift.put(f'/{CONTAINER}/{name}', data=data, headers=headers).ok

    def post(self, **headers):
        assert self.swift.post(f'/{CONTAINER}', headers=headers).ok


@pytest.fixture(scope='module')
def cloud(make_cloud):
    return make_cloud('--max-object-size', str(SEGMENT), '--hide-locations')


@pytest.fixture(scope='module')
def account(cloud):
    return Account(cloud)


@pytest.fixture(scope='module')
def data():
    """The content of an image of three segments."""
    return secrets.token_bytes(2 * SEGMENT + 500_000)


@pytest.fixture
def image(cloud, data):
    """The ID of an image that is in files."""
    return cloud.upload('in files', data, store='file1')


def copied(cloud, image, *options, **kwargs):
    row = cloud.create(image, '--copy', *options, cloud='demo', **kwargs)
    assert row['copied'] is True
    return row


@pytest.fixture
def glance(cloud):
    """A proxy in front of Glance."""
    with proxy(cloud.sdk().image.get_endpoint().partition('/v2')[0]) as glance:
        glance.only = FILE
        yield glance


@pytest.fixture
def swift(cloud, account):
    """A proxy in front of Swift."""
    endpoint, _, path = account.swift.get_endpoint().partition('/v1/')
    with proxy(endpoint) as swift:
        swift.storage_url = f'{swift.url}/v1/{path}'
        yield swift


def through(cloud, glance=None, swift=None, **settings):
    """Return what makes a command go through the proxies."""
    overrides = {'image_temp_url': {'num_retries': 0, **settings}}
    if glance:
        overrides['image_endpoint_override'] = glance.url
    if swift:
        overrides['object_store_endpoint_override'] = swift.storage_url
    return {'cloud': 'demo', 'env': cloud.config(**overrides)}


def altered(body):
    return [body[:1_500_000], bytes([body[1_500_000] ^ 1]), body[1_500_001:]]
