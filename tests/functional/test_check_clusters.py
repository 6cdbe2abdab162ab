"""openstack image temp url check, of clusters that are not as they should be."""

import time

import pytest
import requests

from osc_imgurl.tempurl.url import parse

from .test_check import cause, checks, create


@pytest.fixture(scope='module', params=[600, -600])
def clock_cloud(make_cloud, request):
    cloud = make_cloud('--swift-clock', str(request.param))
    cloud.set_key('a key')
    return cloud, request.param


def test_the_clocks_differ(clock_cloud, data):
    cloud, ahead = clock_cloud
    image = cloud.upload('cirros', data)
    url = create(cloud, image, '--duration', '5m')
    assert time.time() < parse(url).expires
    # By a clock that is ahead it has expired; by one that is behind it lives too long.
    expired = ahead > 0
    assert requests.head(url, timeout=30).status_code == (401 if expired else 200)
    name, detail = cause(cloud, url)
    assert name == 'clock'
    assert ('ahead of' if expired else 'behind') in detail
    assert ('by its clock the URL has expired' in detail) == expired
    if expired:
        line = cloud.refused(image, '--duration', '5m')
        assert "the server's clock is" in line and 'NTP' in line


def test_a_cluster_without_tempurl(make_cloud, data):
    cloud = make_cloud('--no-tempurl')
    cloud.set_key('a key')
    image = cloud.upload('cirros', data)
    assert cause(cloud, image)[0] == 'tempurl'
    # A URL of a time when it had it.
    endpoint, _, account = cloud.sdk().object_store.get_endpoint().partition('/v1/')
    url = (f'{endpoint}/v1/{account}/glance/{image}?temp_url_sig={"0" * 64}'
           f'&temp_url_expires={int(time.time()) + 600}')
    assert requests.head(url, timeout=30).status_code == 401
    name, detail = cause(cloud, url)
    assert name == 'tempurl' and 'runs without the tempurl middleware' in detail
    assert checks(cloud, url, user='demo')['tempurl']['result'] == 'fail'
