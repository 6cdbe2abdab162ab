"""``parse`` reads a location as glance_store does: it knows each host that Glance would contact.

Random locations are read here, and in the environment that Glance is in. No cloud is needed.
"""

import json
import pathlib
import random
import subprocess
import sys
import urllib.parse

import pytest

from osc_imgurl.glance.location import MASK, parse

from .conftest import ROOT

COUNT = 10_000
IMAGE_ID = '3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5'
# What means something in a URL, or is dropped from one, and what looks like that.
ODD = '@?#/:%\\[]. \t\r\n\0\x1f\x7f;&=*|<>"\'~+' + 'üЖ\u2100\uff0f\uff20\u200b'


def location(rng):
    """Return a location of one of glance_store's forms, or one of an attacker's."""
    if rng.random() < 0.3:
        return (rng.choice(['swift+http', 'swift+https', 'swift']) + '://'
                + rng.choice(['', 'service%3Aglance:pw@', 'p:u:pw@'])
                + rng.choice(['swift.example.com', 'keystone:5000', '[::1]:80', 'EVIL'])
                + rng.choice(['/v1/AUTH_x', '/v3', '/swift/v1', ''])
                + rng.choice(['/glance', '/c c', '/ü', f'/glance_{IMAGE_ID}'])
                + f'/{IMAGE_ID}')
    host = rng.choice(['swift.example.com', 'swift:8080', 'EVIL', '127.0.0.1:80', '[::1]:80',
                       'httpd.example.com', 'keystone:5000', '', 'a:b', 'x' * 70])
    path = rng.choice(['/v1/AUTH_x', '/v3', '/swift/v1', '', '/', '//v1/AUTH_x', '/v1/./AUTH_x',
                       '/v1/AUTH_x@keystone/v3', '/v1/AUTH_x/c/o?@keystone/v3', '/v1/AUTH_%78'])
    container = rng.choice(['glance', f'glance_{IMAGE_ID}', 'c c', '', '..', 'ü'])
    name = rng.choice([IMAGE_ID, IMAGE_ID, '', '.', f'{IMAGE_ID}?x', f'{IMAGE_ID}#x'])
    credentials = rng.choice(['', '', 'service%3Aglance:pw@', 'p:u:pw@', 'user@', 'a:b@c:d@',
                              'u:p/w@', '%40:%2F@'])
    scheme = rng.choice(['swift+http', 'swift+https', 'swift', 'SWIFT+HTTP', 'swift+HTTPS'])
    uri = f'{scheme}://{credentials}{host}{path}/{container}/{name}'
    for _ in range(rng.choice([0, 0, 1, 2])):
        at = rng.randrange(len(uri) + 1)
        uri = uri[:at] + rng.choice(ODD) + uri[at + rng.choice([0, 1]):]
    return uri


def s3_location(rng):
    """Return a location of a form of the S3 store, or one of an attacker's."""
    uri = (rng.choice(['s3', 's3+http', 's3+https', 'S3']) + '://'
           + rng.choice(['', '', 'ACCESS:pw@', 'ACCESS:p/w+/=@', 'ACCESS@', 'a:b@c:d@', 'a:b:c@'])
           + rng.choice(['s3.example.com', '127.0.0.1:80', '[::1]:80', 'EVIL', ''])
           + rng.choice(['', '', '/below', '/', '/x@y', '/..'])
           + rng.choice(['/glance', '/c c', '/ü', '/', '/..', ''])
           + rng.choice([f'/{IMAGE_ID}', f'/{IMAGE_ID}', f'/{IMAGE_ID}/', f'/{IMAGE_ID}?x', '/']))
    for _ in range(rng.choice([0, 0, 1, 2])):
        at = rng.randrange(len(uri) + 1)
        uri = uri[:at] + rng.choice(ODD) + uri[at + rng.choice([0, 1]):]
    return uri


@pytest.fixture(scope='module')
def readings():
    """Return locations, and what glance_store reads in each."""
    return read_by_glance(location)


def read_by_glance(make, environment='cloud'):
    rng = random.Random(17)
    uris = [make(rng) for _ in range(COUNT)]
    made = subprocess.run([sys.executable, ROOT / 'tools/make_venv.py', environment],
                          capture_output=True, text=True, check=True)
    done = subprocess.run(
        [pathlib.Path(made.stdout.strip()) / 'bin/python',
         pathlib.Path(__file__).with_name('glance_locations.py')],
        input='\n'.join(map(json.dumps, uris)), capture_output=True, text=True, check=True)
    return list(zip(uris, map(json.loads, done.stdout.splitlines()), strict=True))


def test_what_is_understood_is_read_as_glance_reads_it(readings):
    understood = [(parse(uri), reading) for uri, reading in readings if not parse(uri).problem]
    compared = 0
    for location, reading in understood:
        # What Glance refuses leads nowhere.
        if reading is None:
            continue
        compared += 1
        assert [location.base_url, location.has_credentials, location.container,
                location.object] == reading
    # Single-tenant and multi-tenant ones.
    assert compared > COUNT / 20
    assert {location.has_credentials for location, _ in understood} == {True, False}


def test_each_host_that_glance_would_contact_shows(readings):
    contacted = 0
    for uri, reading in readings:
        if reading is None:
            continue
        location = parse(uri)
        assert location.in_swift
        try:
            host = urllib.parse.urlsplit(reading[0]).hostname
        except ValueError:
            # Nor does a client contact that.
            continue
        if host:
            contacted += 1
            assert host.lower() in location.url.replace(MASK, '').lower(), uri
    assert contacted > COUNT / 10


def test_no_password_shows(readings):
    for uri, _ in readings:
        # Without an @ behind it, nobody takes it for a password.
        if '@' in uri.partition('pw')[2] and parse(uri).in_swift:
            assert 'pw' not in parse(uri).url, uri


# The older one writes access key and secret, and takes more for it.
@pytest.mark.parametrize('environment', [
    'cloud', pytest.param('cloud-oldest', marks=pytest.mark.extra)])
def test_the_bucket_and_the_key_are_those_that_glance_reads(environment):
    compared, secrets = 0, 0
    for uri, reading in read_by_glance(s3_location, environment):
        location = parse(uri)
        assert 'pw' not in location.url or '@' not in uri.partition('pw')[2], uri
        if location.in_s3 and not location.problem and reading is not None:
            compared += 1
            secrets += location.has_credentials
            assert [location.container, location.object] == reading, uri
    assert compared > COUNT / 50 and secrets > COUNT / 500
