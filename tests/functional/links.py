"""What the tests of links share."""

import email.utils
import time

import requests

LINK = ['image', 'temp', 'url', 'link']
CONTAINER = 'image-temp-url-links'


def status(url, method='HEAD'):
    return requests.request(method, url, timeout=30).status_code


def links(cloud, /, *options, **kwargs):
    return cloud.rows(*LINK, 'list', *options, **kwargs)


def extend(cloud, /, *arguments, **kwargs):
    row, = cloud.rows(*LINK, 'extend', *arguments, **kwargs)
    return row


def revoke(cloud, /, *arguments, **kwargs):
    result = cloud.openstack(*LINK, 'revoke', *arguments, **kwargs)
    assert (result.code, result.stdout, result.stderr) == (0, '', '')


def end_of(url, within=30):
    """Wait until a URL has ended."""
    begun = time.monotonic()
    while status(url) == 200:
        assert time.monotonic() - begun < within
        time.sleep(0.1)


def swift_time(url):
    """Return the time by Swift's clock: Unix time, seconds."""
    date = requests.head(url, timeout=30).headers['Date']
    return email.utils.parsedate_to_datetime(date).timestamp()


def state(cloud, path, user='glance'):
    """Return what Swift says of an object, looked at past the plugin."""
    headers = cloud.sdk(user).object_store.head(path).headers
    return {name: value for name, value in headers.items()
            if name not in ('Date', 'X-Trans-Id', 'X-Openstack-Request-Id')}
