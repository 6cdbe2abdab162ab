"""Which URLs a consumer gets, and what cannot be handed over."""

import importlib
import json

import pytest

from osc_imgurl.check.new_url import NewURLCheck
from osc_imgurl.create import create_for
from osc_imgurl.errors import ImageUnacceptable, InvalidParameterValue, TempURLRefused
from osc_imgurl.export import CONSUMERS, Consumer, export
from osc_imgurl.glance.image import is_uuid
from osc_imgurl.settings.table import Settings
from osc_imgurl.target.store import Cloud
from osc_imgurl.tempurl.options import URLOptions
from osc_imgurl.tempurl.signing import Key
from osc_imgurl.tempurl.url import parse

from ..stubs import IMAGE_ID, NOW, OTHER_ID, REFUSED, Glance, Probe, Store, clock, image
from .given import FACTS, handover

RAMDISK_ID = OTHER_ID.replace('7', '8')


def boot(image_id=OTHER_ID, owner='p', **fields):
    return image(id=image_id, owner=owner, visibility='private', **fields)


def handed(*images, request=URLOptions(), consumer='ironic', probe=None, ramdisk_id=RAMDISK_ID,
           **options):
    """Hand an image over that names a kernel and a ramdisk."""
    settings = Settings(key=Key(b'a key'), digest='sha256', check=probe is not None)
    named = image(owner='p', properties={**FACTS, 'kernel_id': OTHER_ID, 'ramdisk_id': ramdisk_id})
    glance = Glance(*(images or (boot(), boot(RAMDISK_ID))))
    cloud = Cloud(glance, Store(), probe)

    def create(image, options):
        made = create_for(image, options, cloud, settings, clock)
        return NewURLCheck(settings, cloud).check(made, NOW) if probe else made

    return export(named, consumer, request, create, glance, **options)


def test_each_module_is_a_consumer():
    assert CONSUMERS
    for name in CONSUMERS:
        module = importlib.import_module(f'osc_imgurl.export.{name}')
        assert isinstance(module.CONSUMER, Consumer)


def urls(text):
    return {name: parse(url) for name, url in json.loads(text).items() if '://' in url}


def test_image_kernel_and_ramdisk_have_urls_of_their_own():
    made = urls(handed())
    assert {name: url.path.object for name, url in made.items()} == {
        'image_source': IMAGE_ID, 'kernel': OTHER_ID, 'ramdisk': RAMDISK_ID}
    assert {url.expires for url in made.values()} == {int(NOW) + 1200}


def test_what_is_asked_for_is_for_all_but_object_and_file_name():
    made = urls(handed(request=URLOptions(
        object='copy', filename='a b', inline=True, ip_range='192.0.2.0/24', iso8601=True)))
    assert {(url.ip_range, url.iso8601) for url in made.values()} == {('192.0.2.0/24', True)}
    source = made.pop('image_source')
    assert (source.path.object, source.filename, source.inline) == ('copy', 'a b', True)
    for url in made.values():
        assert is_uuid(url.path.object) and not url.inline and url.filename is None


def test_one_image_may_be_kernel_and_ramdisk():
    made = urls(handed(ramdisk_id=OTHER_ID))
    assert made['kernel'] == made['ramdisk'] and made['kernel'].path.object == OTHER_ID


def test_no_url_is_made_that_the_consumer_does_not_take():
    probe = Probe()
    handed(consumer='ipxe', probe=probe)
    assert [OTHER_ID in probe.asked[0], RAMDISK_ID in probe.asked[1], len(probe.asked)] == [
        True, True, 2]


def test_a_boot_image_that_the_owner_may_not_see_is_an_error():
    with pytest.raises(ImageUnacceptable, match=r'may not see.*property kernel_id'):
        handed(boot(owner='another'), boot(RAMDISK_ID))


def test_a_boot_image_that_cannot_be_downloaded_is_an_error_that_names_both():
    with pytest.raises(ImageUnacceptable) as caught:
        handed(boot(), boot(RAMDISK_ID, status='deactivated'))
    assert caught.value.problem.startswith(
        f'Image {IMAGE_ID} names {RAMDISK_ID} as its ramdisk. Image {RAMDISK_ID} is deactivated')
    assert caught.value.names


def test_a_url_that_does_not_work_is_an_error():
    with pytest.raises(TempURLRefused):
        handed(probe=Probe(REFUSED))


@pytest.mark.parametrize('method', ['HEAD', 'PUT', 'POST', 'DELETE'])
def test_a_url_that_downloads_nothing_is_refused(method):
    with pytest.raises(InvalidParameterValue, match='A URL for') as caught:
        handed(request=URLOptions(method=method))
    assert str(caught.value) == f'A URL for {method} downloads nothing. Use GET (method).'


def test_no_url_is_in_what_a_log_may_show():
    assert 'temp_url_sig' not in repr(handover())


def test_a_prefix_is_refused():
    with pytest.raises(InvalidParameterValue, match='other objects'):
        handed(request=URLOptions(prefix=''))


def test_kernel_parameters_are_for_who_takes_them():
    assert ' quiet ' in handed(consumer='ipxe', kernel_parameters='quiet')
    for consumer in CONSUMERS:
        if consumer != 'ipxe':
            with pytest.raises(InvalidParameterValue, match=f'{consumer} takes no kernel'):
                handed(consumer=consumer, kernel_parameters='')
