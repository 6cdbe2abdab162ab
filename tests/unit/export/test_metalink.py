"""The metalink of an image. tests/functional has aria2c read it."""

from xml.etree import ElementTree

import pytest

from osc_imgurl.errors import ImageUnacceptable
from osc_imgurl.export.metalink import CONSUMER

from .given import DATA, NAMES, SHA512, URL, handover

NAMESPACE = '{urn:ietf:params:xml:ns:metalink}'


def file(**changes):
    text = CONSUMER.write(handover(**changes))
    metalink = ElementTree.fromstring(text.encode('ascii'))  # noqa: S314
    assert metalink.tag == f'{NAMESPACE}metalink'
    found, = metalink
    assert found.tag == f'{NAMESPACE}file'
    return found


def test_url_size_and_hash():
    told = {each.tag.removeprefix(NAMESPACE): each for each in file()}
    assert {name: each.text for name, each in told.items()} == {
        'size': str(len(DATA)), 'hash': SHA512, 'url': URL}
    assert told['hash'].attrib == {'type': 'sha-512'}


def test_a_file_for_each_image():
    text = CONSUMER.write(handover(), handover(name='other'))
    assert [each.attrib['name'] for each in ElementTree.fromstring(text)] == [  # noqa: S314
        'cirros.qcow2', 'other.qcow2']


def test_a_size_that_is_not_known_is_not_told():
    assert [each.tag.removeprefix(NAMESPACE) for each in file(size=None)] == ['hash', 'url']


@pytest.mark.parametrize(('algorithm', 'word', 'digits'), [
    ('sha224', 'sha-224', 56), ('sha256', 'sha-256', 64), ('sha384', 'sha-384', 96)])
def test_hashes_have_the_names_that_iana_gave_them(algorithm, word, digits):
    told = file(os_hash_algo=algorithm, os_hash_value='a' * digits).find(f'{NAMESPACE}hash')
    assert (told.attrib, told.text) == ({'type': word}, 'a' * digits)


@pytest.mark.parametrize('algorithm', [None, 'md5', 'sha3_512'])
def test_without_such_a_hash(algorithm):
    with pytest.raises(ImageUnacceptable, match='no hash'):
        file(os_hash_algo=algorithm)


@pytest.mark.parametrize('name', NAMES)
def test_any_name_is_that_of_a_file_here(name):
    shown = file(name=name).attrib['name']
    assert shown == handover(name=name).file_name
    assert shown.isprintable() and '/' not in shown and not shown.startswith('.')


@pytest.mark.parametrize('name', ['<&">\'', ']]>', 'ü', 'a b'])
def test_a_name_that_the_url_gives_the_file_is_told_as_it_is(name):
    named = file(saved_as=name)
    assert named.attrib['name'] == name
