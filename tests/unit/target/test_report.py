"""All that can be known of where an image is kept, by what the cloud shows of it."""

import dataclasses

import pytest

from osc_imgurl.errors import (
    GlanceFailed,
    ImageNotAuthorized,
    ImageNotFound,
    MissingParameterValue,
)
from osc_imgurl.glance.location import parse
from osc_imgurl.settings.table import Settings
from osc_imgurl.target.report import report_location

from ..stubs import IMAGE_ID, Glance, Store, image

SINGLE = f'swift+config://ref1/glance/{IMAGE_ID}'
MULTI = f'swift+http://swift/v1/AUTH_x/glance_{IMAGE_ID}/{IMAGE_ID}'
EVIL = f'swift+https://evil/v1/AUTH_x/glance/{IMAGE_ID}'
DOUBTED = f'{EVIL}: its endpoint is not one of the object store\'s in the catalog'
FIELDS = ('source', 'scheme', 'account', 'container', 'object', 'container_agrees')


def told(found, settings=None, answer=(), store=None):
    """Return the report on an image, of which Glance's Get Locations call says more."""
    glance = Glance(found)
    glance.answers['locations'] = answer
    return report_location('cirros', settings or Settings(), glance, store or Store())


@pytest.mark.parametrize(('found', 'answer', 'wanted'), [
    (image(SINGLE), (), ('locations', 'swift+config', 'AUTH_p', 'glance', IMAGE_ID, True)),
    (image(MULTI), (), ('locations', 'swift+http', 'AUTH_x', f'glance_{IMAGE_ID}', IMAGE_ID,
                        False)),
    (image('file:///x', SINGLE), (),
     ('locations', 'swift+config', 'AUTH_p', 'glance', IMAGE_ID, True)),
    (image(direct_url=parse('swift+config://ref1/images/renamed')), (),
     ('direct_url', 'swift+config', 'AUTH_p', 'images', 'renamed', False)),
    (image(), (parse(SINGLE),),
     ('get locations call', 'swift+config', 'AUTH_p', 'glance', IMAGE_ID, True)),
    (image(), (), ('settings', None, 'AUTH_p', 'glance', IMAGE_ID, None)),
    (image(), ImageNotAuthorized('No.'), ('settings', None, 'AUTH_p', 'glance', IMAGE_ID, None)),
    (image(), ImageNotFound('No.'), ('settings', None, 'AUTH_p', 'glance', IMAGE_ID, None)),
    # Nothing in Swift, or nothing that is trusted.
    (image('file:///x'), (), ('locations', 'file', None, None, None, None)),
    (image(EVIL), (), ('locations', 'swift+https', None, None, None, None)),
    (image('rbd://a/b/c/d', EVIL), (), ('locations', 'rbd', None, None, None, None)),
])
def test_what_is_known(found, answer, wanted):
    made = told(found, answer=answer)
    assert tuple(getattr(made, name) for name in FIELDS) == wanted
    assert made.image == found
    assert made.container_by_rule == 'glance'
    assert made.locations == (found.shown_locations or (
        answer if isinstance(answer, tuple) else ()))


def test_which_location_is_trusted_and_why_others_are_not():
    made = told(image(EVIL, 'file:///x', SINGLE, MULTI))
    assert (made.trusted, made.untrusted) == (parse(SINGLE), (DOUBTED,))
    made = told(image(EVIL))
    assert (made.trusted, made.untrusted) == (None, (DOUBTED,))
    made = told(image())
    assert (made.trusted, made.untrusted) == (None, ())


def test_the_rule_is_the_settings():
    made = told(image(), Settings(container='images', multiple_containers_seed=3))
    assert made.container == made.container_by_rule == 'images_3a1'
    made = told(image(SINGLE), Settings(multiple_containers_seed=3))
    assert (made.container, made.container_by_rule, made.container_agrees) == (
        'glance', 'glance_3a1', False)


def test_the_account_that_is_given():
    assert told(image(), Settings(account='AUTH_y')).account == 'AUTH_y'
    assert told(image(), store=Store('http://rgw/swift/v1')).account is None


def test_an_account_that_nobody_says_is_no_error():
    store = Store()
    store.answers['project_id'] = MissingParameterValue('These credentials name no account.')
    made = told(image(), Settings(account_prefix='AUTH'), store=store)
    assert (made.account, made.container) == (None, 'glance')


def test_an_account_is_not_looked_for_where_the_image_is_not_in_swift():
    store = Store()
    store.answers['project_id'] = AssertionError('nobody is to ask')
    settings = Settings(account_prefix='AUTH')
    assert told(image('file:///x'), settings, store=store).account is None


def test_a_glance_that_fails_is_an_error():
    with pytest.raises(GlanceFailed):
        told(image(), answer=GlanceFailed('HTTP 500.'))
    with pytest.raises(ImageNotFound):
        report_location('nobody', Settings(), Glance(), Store())


def test_the_call_is_made_only_where_the_image_shows_no_location():
    for found, asked in ((image(SINGLE), ['find cirros']),
                         (image(), ['find cirros', f'locations {IMAGE_ID}'])):
        glance = Glance(found)
        report_location('cirros', Settings(), glance, Store())
        assert glance.asked == asked


@pytest.mark.parametrize(('schemes', 'uris', 'wanted'), [
    ((), ['file:///x'], False), (('file',), ['file:///x'], True),
    (('file',), [SINGLE], False), (('rbd', 'file'), [SINGLE, 'file:///x'], True),
    (('file',), [], False)])
def test_whether_it_may_be_read_directly(schemes, uris, wanted):
    made = told(image(*uris), Settings(allowed_direct_url_schemes=schemes))
    assert made.direct_read_allowed is wanted


def test_a_password_that_everybody_may_see_is_a_warning(caplog):
    shown = f'swift+http://p%3Aglance:secret@keystone:5000/v3/glance/{IMAGE_ID}'
    assert told(image('file:///x', shown)).container == 'glance'
    assert len(caplog.records) == 1
    assert caplog.records[0].levelname == 'WARNING'
    assert 'shows the password of its image store' in caplog.text and IMAGE_ID in caplog.text
    assert 'secret' not in caplog.text
    caplog.clear()
    told(image(SINGLE))
    # Those of the call are shown to an operator only.
    told(image(), answer=(parse(shown),))
    assert caplog.records == []


def test_an_image_of_any_status():
    assert told(dataclasses.replace(image(SINGLE), status='deactivated')).container == 'glance'
