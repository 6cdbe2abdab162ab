"""Which digest is chosen, by what a cluster says of itself."""

import pytest

from osc_imgurl.errors import InvalidParameterValue, ObjectStoreFailed
from osc_imgurl.swift.answers import Capabilities, read_info

ALL = ('sha1', 'sha256', 'sha512')


def cluster(**said):
    """Return what a cluster says that takes temporary URLs."""
    return Capabilities(True, **said)


@pytest.mark.parametrize(('capabilities', 'given', 'digest'), [
    (Capabilities(), None, 'sha1'),
    (cluster(), None, 'sha1'),
    (cluster(digests=ALL), None, 'sha256'),
    (cluster(digests=('sha1', 'sha512')), None, 'sha512'),
    (cluster(digests=('sha1',)), None, 'sha1'),
    (cluster(digests=('md5', 'sha512')), None, 'sha512'),
    (cluster(digests=ALL), 'sha1', 'sha1'),
    (cluster(digests=ALL), 'sha512', 'sha512'),
    # It does not say, and may take it.
    (Capabilities(), 'sha512', 'sha512'),
    (cluster(methods=('GET',)), 'sha256', 'sha256'),
    (cluster(methods=()), None, 'sha1'),
])
def test_the_digest(capabilities, given, digest):
    assert capabilities.choose_digests(given, 'GET')[-1] == digest


def test_a_silent_cluster_may_support_more():
    assert Capabilities().choose_digests(None, 'GET') == ('sha256', 'sha1')
    assert Capabilities().choose_digests('sha1', 'GET') == ('sha1',)
    assert cluster(digests=ALL).choose_digests(None, 'GET') == ('sha256',)


@pytest.mark.parametrize(('capabilities', 'given', 'error', 'message'), [
    (Capabilities(False), None, ObjectStoreFailed,
     'This cluster does not support temporary URLs: it runs without the tempurl middleware.'
     ' Its operator can add it to the proxy\'s pipeline.'),
    (Capabilities(False), 'sha1', ObjectStoreFailed,
     'This cluster does not support temporary URLs: it runs without the tempurl middleware.'
     ' Its operator can add it to the proxy\'s pipeline.'),
    (cluster(methods=('GET', 'HEAD'), digests=ALL), 'sha1', InvalidParameterValue,
     'This cluster supports temporary URLs for GET, HEAD, not for PUT. Use one of these'
     ' (method).'),
    (cluster(digests=('sha256', 'sha512')), 'sha1', InvalidParameterValue,
     'This cluster supports sha256, sha512, not the digest sha1. Sign with one of these'
     ' (digest).'),
    (cluster(digests=('md5', 'sha3')), None, ObjectStoreFailed,
     'This cluster supports the digests md5, sha3, and none of sha256, sha512, sha1.'),
])
def test_what_cannot_be_signed(capabilities, given, error, message):
    with pytest.raises(error) as caught:
        capabilities.choose_digests(given, 'PUT')
    assert str(caught.value) == message


@pytest.mark.parametrize(('digests', 'digest', 'supports'), [
    (None, 'sha1', True), (None, 'sha256', None), (None, 'sha512', None),
    (ALL, 'sha512', True), (('sha256',), 'sha1', False), ((), 'sha1', False)])
def test_supports(digests, digest, supports):
    assert Capabilities(digests=digests).supports(digest) is supports


SLO = {'max_manifest_segments': 1000}


@pytest.mark.parametrize(('info', 'wanted'), [
    ({'swift': {'max_file_size': 5}, 'slo': SLO, 'tempurl': {
        'methods': ['GET'], 'allowed_digests': ['sha1']}},
     Capabilities(True, ('GET',), ('sha1',), 5, 1000, False)),
    ({'swift': {}, 'tempurl': {'methods': [], 'allowed_digests': []}},
     Capabilities(True)),
    ({'swift': {'version': '2'}, 'tempurl': {}}, Capabilities(True, max_segments=0, symlink=False)),
    ({'swift': {'version': '2'}, 'slo': SLO, 'tempurl': {}, 'symlink': {'static_links': True}},
     Capabilities(True, max_segments=1000, symlink=True, static_links=True)),
    ({'swift': {'version': '2'}, 'tempurl': {}, 'symlink': {'symloop_max': 2}},
     Capabilities(True, max_segments=0, symlink=True)),
    ({'swift': {'version': '2', 'max_file_size': 5}, 'slo': SLO},
     Capabilities(False, None, None, 5, 1000, False)),
    ({'tempurl': {}}, Capabilities(True)),
    ({'slo': {}}, Capabilities(False))])
def test_what_a_cluster_says(info, wanted):
    assert read_info(info) == wanted


@pytest.mark.parametrize('info', [
    None, {}, [], {'swift': {'max_file_size': 0}}, {'swift': {'max_file_size': True}},
    {'swift': {'max_file_size': '5'}}, {'slo': {'max_manifest_segments': -1}},
    {'tempurl': {'methods': 'GET'}}, {'tempurl': []}, {'swift': [1]}, {'symlink': [1]}])
def test_what_no_cluster_says(info):
    with pytest.raises((AttributeError, TypeError)):
        read_info(info)
