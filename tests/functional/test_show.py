"""openstack image temp url show: no cloud and no network are needed."""

import json

import pytest

from osc_imgurl.tempurl.options import URLOptions
from osc_imgurl.tempurl.signing import Key, Parameters, sign, sign_path
from osc_imgurl.tempurl.url import ObjectPath

from . import commands

IMAGE_ID = '3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5'
KEY = 'the signing key'
FUTURE = 1896112800


@pytest.fixture
def show(tmp_path):
    (tmp_path / 'key').write_text(KEY)
    (tmp_path / 'key').chmod(0o600)

    def run(url, *options, stdin=''):
        done = commands.run(
            ['image', 'temp', 'url', 'show', url, '-f', 'json', *options], stdin=stdin,
            cwd=tmp_path, env={**commands.ENVIRONMENT, 'HOME': str(tmp_path)})
        assert KEY not in done.stdout + done.stderr
        if done.returncode:
            assert (done.returncode, done.stdout) == (1, '')
            return done.stderr
        return json.loads(done.stdout)

    return run


def signed_url(path, method='GET', *, endpoint='https://swift.example.com', digest='sha256',
         expires=FUTURE, **options):
    return sign(Parameters(endpoint, path, expires, URLOptions(method, **options), digest),
                Key(KEY.encode())).url


SWIFT = ObjectPath('AUTH_x', 'glance', IMAGE_ID)


def test_without_a_key(show):
    url = signed_url(SWIFT, ip_range='10.0.0.0/8', prefix='3a1f', filename='a b.img', inline=True,
               iso8601=True, digest='sha512')
    row = show(url)
    assert int(row.pop('remaining').split()[0]) > 0
    assert 0 < row.pop('remaining_seconds') < FUTURE
    assert row == {
        'endpoint': 'https://swift.example.com', 'account': 'AUTH_x', 'container': 'glance',
        'object': IMAGE_ID, 'copied': False, 'link': None, 'image_id': IMAGE_ID, 'method': None,
        'expires_at': '2030-01-31T18:00:00Z', 'expires': 1896112800, 'digest': 'sha512',
        'ip_range': '10.0.0.0/8', 'prefix': '3a1f', 'filename': 'a b.img', 'inline': True,
        'signature': 'not verified: no key is given (--key-file)'}


@pytest.mark.parametrize('formatter', ['table', 'value', 'shell'])
def test_what_a_url_does_not_say_is_empty(tmp_path, formatter):
    done = commands.run(['image', 'temp', 'url', 'show', signed_url(SWIFT), '-f', formatter],
                        cwd=tmp_path, env={**commands.ENVIRONMENT, 'HOME': str(tmp_path)})
    assert done.returncode == 0 and 'None' not in done.stdout


def test_with_a_key(show):
    row = show(signed_url(SWIFT, 'PUT'), '--key-file', 'key')
    assert row['method'] == 'PUT'
    assert row['signature'].startswith('of the key ') and '(--key-file)' in row['signature']
    altered = signed_url(SWIFT).replace('glance', 'other')
    row = show('-', '--key-file', 'key', stdin=altered + '\n')
    assert (row['method'], row['container']) == (None, 'other')
    assert row['signature'].endswith('or the URL has been altered')


def test_expired(show):
    row = show(signed_url(SWIFT, expires=1_000_000_000))
    assert row['remaining'].startswith('expired ')
    assert row['remaining_seconds'] < -700_000_000


def test_a_path_that_was_quoted_before_it_was_signed(show):
    path = ObjectPath('AUTH_x', 'glance', 'a b')
    wrong = sign_path(Key(KEY.encode()), '/v1/AUTH_x/glance/a%20b', FUTURE)
    good = signed_url(path)
    url = good.replace(good.partition('sig=')[2].partition('&')[0], wrong)
    row = show(url, '--key-file', 'key')
    assert row['object'] == 'a b' and row['image_id'] is None
    assert row['signature'].endswith('but for another path: /v1/AUTH_x/glance/a%20b')


def test_what_another_program_signed(show):
    url = signed_url(SWIFT)
    wrong = sign_path(Key(KEY.encode()), str(SWIFT), FUTURE, 'put')
    url = url.replace(url.partition('sig=')[2].partition('&')[0], wrong)
    row = show(url, '--key-file', 'key')
    assert row['method'] == 'PUT'
    assert row['signature'].endswith(', but the method was signed in small letters')


def test_a_gateways_url(show):
    url = signed_url(ObjectPath(None, 'glance', IMAGE_ID), endpoint='http://rgw/swift',
                     digest='sha1')
    row = show(url, '--key-file', 'key')
    assert (row['endpoint'], row['account'], row['container'], row['digest']) == (
        'http://rgw/swift', None, 'glance', 'sha1')
    assert row['signature'].startswith('of the key ')


def test_what_is_no_temporary_url(show):
    assert 'it has no temp_url_sig' in show('https://swift.example.com/v1/AUTH_x/glance/x')
    assert 'does not begin with http' in show('cirros')
