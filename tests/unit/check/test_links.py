"""What the checks say of a URL that is for a link."""

import dataclasses

import pytest

from osc_imgurl.check.checks import make
from osc_imgurl.check.facts import FAIL, PASS, SKIPPED
from osc_imgurl.links.link import LinkOptions, new_link
from osc_imgurl.swift.probe import Answer

from .given import (
    GONE,
    IMAGE,
    IMAGE_ID,
    KEY,
    NOW,
    REFUSED,
    WORKS,
    Glance,
    facts,
    signed,
    store,
)

LINK = new_link(IMAGE, KEY, LinkOptions(), int(NOW) + 3600, NOW)
URL = signed(container='image-temp-url-links', object=LINK.name, expires=LINK.signed_until)
REPLACED = Answer(409, transaction='tx', date=NOW)
TARGET_GONE = dataclasses.replace(GONE, target=f'/v1/AUTH_p/glance/{IMAGE_ID}')


def of_link(answer=WORKS, link=None, **changes):
    """Return the facts of a link's URL; ``link`` is what these credentials see of it."""
    found = facts(URL, answer, **{'image': None, 'glance': Glance(IMAGE), **changes})
    found.__dict__['link'] = link
    return found


def test_its_image_is_found():
    found = of_link()
    assert found.image == IMAGE and found.location is None
    assert make('image', found).result == PASS
    assert make('size', found).detail == 'image and object have 5 bytes'


@pytest.mark.parametrize(('link', 'result', 'detail'), [
    (LINK, PASS, f'a link to image {IMAGE_ID}, which ends at 2023-11-14T23:13:20Z, in 0:59:59'),
    (None, SKIPPED, 'the URL is for a link, and these credentials see none of that name')])
def test_until_when(link, result, detail):
    finding = make('store', of_link(link=link))
    assert (finding.result, finding.detail) == (result, detail)


@pytest.mark.parametrize(('answer', 'link', 'result', 'detail', 'names'), [
    (WORKS, None, PASS, 'the link is there, and so is the data of its image', ()),
    (REPLACED, LINK, FAIL, 'the data of the image is another than when the link was made',
     ('revocable',)),
    (TARGET_GONE, None, FAIL, 'the link is there, and the data of its image is gone', ()),
    (GONE, LINK, FAIL, 'the link is there, and the data of its image is gone', ()),
    (GONE, None, FAIL, 'the link is revoked or expired, or was never there', ('revocable',)),
    (REFUSED, None, SKIPPED, 'whether the link is there is not known', ())])
def test_the_object(answer, link, result, detail, names):
    finding = make('object', of_link(answer, link))
    assert (finding.result, finding.detail, finding.names) == (result, detail, names)


def test_its_container_is_not_that_of_the_images():
    """It says nothing of where the images are."""
    none = store(container=None)
    none.answers['container_keys'] = None
    assert make('container', of_link(GONE, store=none)).result == SKIPPED
    assert make('account', of_link(GONE)).result == SKIPPED


@pytest.mark.parametrize('nobody', [{'store': None}, {'store': store('http://swift/v1/AUTH_q')}])
def test_a_link_that_is_not_to_be_seen(nobody):
    found = facts(URL, GONE, image=None, **nobody)
    assert found.link is None and found.named_link == (LINK.id, IMAGE_ID)
