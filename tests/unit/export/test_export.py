"""Which URLs a consumer gets, where the texts go, and what cannot be handed over."""

import dataclasses
import importlib
import itertools
import json
import pathlib
import resource
import shlex
import stat

import pytest

from osc_imgurl.batch import Failure
from osc_imgurl.check.new_url import NewURLCheck
from osc_imgurl.create import create_for
from osc_imgurl.errors import ImageUnacceptable, InvalidParameterValue, TempURLRefused
from osc_imgurl.export import CONSUMERS, Consumer, ExportOptions, export
from osc_imgurl.glance.image import is_uuid
from osc_imgurl.settings.table import Settings
from osc_imgurl.target.store import Cloud
from osc_imgurl.tempurl.options import URLOptions
from osc_imgurl.tempurl.signing import Key
from osc_imgurl.tempurl.url import parse

from ..stubs import IMAGE_ID, NOW, OTHER_ID, REFUSED, Glance, Probe, Store, clock, image
from .given import FACTS, NAMES, handover

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

    def create(image, options, node):
        made = create_for(image, options, cloud, settings, clock)
        return NewURLCheck(settings, cloud).check(made, NOW) if probe else made

    glance.images += (named,)
    text, = export([IMAGE_ID], ExportOptions(consumer, **options), request, create, glance)
    if isinstance(text, Failure):
        raise text.error
    return text


def test_each_module_is_a_consumer():
    assert CONSUMERS
    for name in CONSUMERS:
        module = importlib.import_module(f'osc_imgurl.export.{name.replace("-", "_")}')
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
        f'Image cirros ({IMAGE_ID}) names cirros ({RAMDISK_ID}) as its ramdisk. Image cirros'
        f' ({RAMDISK_ID}) is deactivated')
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
            with pytest.raises(InvalidParameterValue, match=f'{consumer} supports no kernel'):
                handed(consumer=consumer, kernel_parameters='')


class Creator:
    """Makes URLs, and writes down for which images and nodes; some images get none."""

    def __init__(self, refused=()):
        self.refused, self.asked = refused, []

    def __call__(self, image, options, node):
        self.asked.append((image.id, node))
        if image.id in self.refused:
            raise ImageUnacceptable(f'Image {image.id} gets no URL.')
        given = options if node is None else dataclasses.replace(options, filename=node)
        return create_for(image, given, Cloud(Glance(), Store(), None),
                          Settings(key=Key(b'a key'), digest='sha256'), clock)


def several(count=2, **fields):
    """Return images of one name."""
    return [image(id=fixed_id(number), properties={**FACTS, 'disk_format': 'raw'}, **fields)
            for number in range(count)]


def fixed_id(number):
    return f'{number:08}-0000-4000-8000-000000000000'


def exported(images, asked, create=None, request=URLOptions(), references=None):
    return list(export(references or [each.id for each in images], asked, request,
                       create or Creator(), Glance(*images)))


@pytest.mark.parametrize('consumer', [
    name for name in CONSUMERS if name not in ('ipxe', 'redfish')])
def test_several_images_are_one_text_or_an_error(consumer):
    images = several()
    if consumer in ('ansible', 'cdi', 'cloud-init', 'curl', 'metalink'):
        text, = exported(images, ExportOptions(consumer))
        assert all(each.id in text for each in images)
    else:
        create = Creator()
        with pytest.raises(InvalidParameterValue, match=f'{consumer} takes one image at a time'):
            exported(images, ExportOptions(consumer), create)
        assert create.asked == []


def test_an_image_counts_once():
    create = Creator()
    text, = exported(several(1), ExportOptions('curl'), create, references=[
        fixed_id(0), f'glance://host/{fixed_id(0)}', 'cirros'])
    assert len(create.asked) == 1 and text.count('url =') == 1


def test_images_that_fail_do_not_stop_the_others():
    lost, failed, text = exported(several(), ExportOptions('cloud-init'), Creator([fixed_id(0)]),
                                  references=['nobody', fixed_id(0), fixed_id(1)])
    assert (lost.image, failed.image, failed.name) == ('nobody', fixed_id(0), 'cirros')
    assert fixed_id(1) in text and fixed_id(0) not in text


def test_no_text_is_of_no_image():
    failed, = exported(several(1), ExportOptions('cloud-init'), Creator([fixed_id(0)]))
    assert isinstance(failed, Failure)


def test_files_of_the_same_name_are_called_by_the_images_ids():
    images = [*several(), image(id=OTHER_ID, name='other', properties=FACTS)]
    text, = exported(images, ExportOptions('ansible'))
    assert [line.rpartition('/')[2] for line in text.splitlines() if 'dest' in line] == [
        f'{fixed_id(0)}.raw', f'{fixed_id(1)}.raw', 'other.qcow2']


@pytest.mark.parametrize(('request_', 'setting'), [
    (URLOptions(filename='x'), 'filename'), (URLOptions(object='x'), 'object')])
def test_what_is_of_one_image_is_refused_for_several(request_, setting):
    with pytest.raises(InvalidParameterValue) as caught:
        exported(several(), ExportOptions('curl'), request=request_)
    assert caught.value.names == (setting,)
    text, = exported(several(1), ExportOptions('curl'), request=request_)
    assert 'x' in text


class TestDirectory:
    @pytest.fixture
    def folder(self, tmp_path):
        return tmp_path / 'folder'

    def files(self, folder):
        return {path.name: path.read_text() for path in folder.iterdir()}

    def test_a_file_for_each_image_for_the_user_alone(self, folder):
        images = [image(id=fixed_id(number), name=name, properties=FACTS)
                  for number, name in enumerate('ab')]
        paths = exported(images, ExportOptions('metal3', directory=folder))
        assert paths == [folder / 'a.qcow2.yaml', folder / 'b.qcow2.yaml']
        for path, each in zip(paths, images, strict=True):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600 and each.id in path.read_text()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    @pytest.mark.parametrize('name', NAMES)
    def test_any_name_is_that_of_a_file_in_it(self, folder, name):
        path, = exported(several(1, name=name), ExportOptions('ironic', directory=folder))
        assert list(folder.iterdir()) == [path] and path.name.isprintable()
        assert list(folder.parent.iterdir()) == [folder]

    def test_a_file_that_is_there_stays(self, folder):
        folder.mkdir()
        (folder / 'cirros.raw.json').write_text('mine')
        create = Creator()
        failed, = exported(several(1), ExportOptions('ironic', directory=folder), create)
        assert 'cirros.raw.json is not written: it exists' in failed.error.problem
        assert self.files(folder) == {'cirros.raw.json': 'mine'}
        assert create.asked == [] and failed.error.names == ('directory',)

    def test_no_symbolic_link_is_followed(self, folder):
        folder.mkdir()
        (folder / 'cirros.raw.json').symlink_to(folder / 'elsewhere')
        failed, = exported(several(1), ExportOptions('ironic', directory=folder))
        assert isinstance(failed, Failure) and not (folder / 'elsewhere').exists()

    def test_nor_one_that_is_new(self, folder):
        def create(*arguments):
            (folder / 'cirros.raw.json').symlink_to(folder / 'elsewhere')
            return Creator()(*arguments)

        failed, = exported(several(1), ExportOptions('ironic', directory=folder), create)
        assert 'File exists' in failed.error.problem and not (folder / 'elsewhere').exists()

    def test_one_that_fails_does_not_stop_the_others(self, folder):
        failed, path = exported(several(), ExportOptions('ironic', directory=folder),
                                Creator([fixed_id(0)]))
        assert (failed.image, list(folder.iterdir())) == (fixed_id(0), [path])

    def test_nothing_is_left_of_what_could_not_be_written(self, folder):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
        try:
            failed, = exported(several(1), ExportOptions('ironic', directory=folder))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert 'File too large' in failed.error.problem and not list(folder.iterdir())

    def test_a_file_system_without_such_characters(self, folder, monkeypatch):
        # It cannot be had here: Python decides on the encoding when it starts.
        def write_new(path, value):
            path.name.encode('ascii')

        monkeypatch.setattr('osc_imgurl.settings.secret_file.write_new', write_new)
        failed, = exported(several(1, name='caf\xe9'), ExportOptions('ironic', directory=folder))
        assert 'the file system has no such characters' in failed.error.problem

    def test_a_directory_that_there_can_be_none_of(self, folder):
        create = Creator()
        for path in (folder / 'deeper', pathlib.Path(__file__)):
            with pytest.raises(InvalidParameterValue, match='cannot be made') as caught:
                exported(several(1), ExportOptions('ironic', directory=path), create)
            assert caught.value.names == ('directory',)
        assert create.asked == []


class TestNodes:
    def commands(self, text):
        """Return the words of each command."""
        words = shlex.split(text)
        starts = [number for number, word in enumerate(words) if word == 'openstack']
        return [words[start:end] for start, end in itertools.pairwise([*starts, len(words)])]

    def test_all_have_the_same_url(self):
        create = Creator()
        text, = exported(several(1), ExportOptions('ironic', nodes=['a', 'b', 'a']), create)
        first, second = self.commands(text)
        assert first[:4] == ['openstack', 'baremetal', 'node', 'set']
        assert (first[:-1], first[-2:], second[-1]) == (second[:-1], ['--', 'a'], 'b')
        assert create.asked == [(fixed_id(0), None)]

    def test_or_each_its_own(self):
        create = Creator()
        text, = exported(several(1), ExportOptions('ironic', nodes=['a', 'b'], own_urls=True),
                         create)
        assert create.asked == [(fixed_id(0), 'a'), (fixed_id(0), 'b')]
        assert [f'filename={command[-1]}' in command[4] for command in self.commands(text)] == [
            True, True]

    def test_what_is_set_is_what_the_json_says(self):
        info = json.loads(*exported(several(1), ExportOptions('ironic')))
        text, = exported(several(1), ExportOptions('ironic', nodes=['a']))
        command, = self.commands(text)
        assert dict(word.removeprefix('--instance-info=').split('=', 1)
                    for word in command[4:-2]) == info

    @pytest.mark.parametrize('value', ['1' * 128, '1' * 126 + 'e9', '9' * 64 + 'e' + '0' * 63])
    def test_a_hash_that_looks_like_a_number_is_a_text(self, value):
        text, = exported([image(properties={**FACTS, 'os_hash_value': value})],
                         ExportOptions('ironic', nodes=['a']))
        assert f'--instance-info=image_os_hash_value="{value}"' in self.commands(text)[0]

    @pytest.mark.parametrize('node', NAMES)
    def test_any_name_is_one_word(self, node):
        text, = exported(several(1), ExportOptions('ironic', nodes=[node, 'another']))
        assert [each[-2:] for each in self.commands(text)] == [['--', node], ['--', 'another']]

    def test_they_may_be_in_a_file(self, tmp_path):
        path, = exported(several(1), ExportOptions('ironic', nodes=['a'], directory=tmp_path))
        assert path.name == 'cirros.raw.sh' and path.read_text().endswith(' -- a\n')

    def test_a_node_gets_one_image(self):
        with pytest.raises(InvalidParameterValue, match='A node gets one image'):
            exported(several(), ExportOptions('ironic', nodes=['a']))

    @pytest.mark.parametrize('consumer', [name for name in CONSUMERS if name != 'ironic'])
    def test_other_consumers_know_no_nodes(self, consumer):
        with pytest.raises(InvalidParameterValue, match=f'{consumer} knows no nodes'):
            exported(several(1), ExportOptions(consumer, nodes=['a']))


@pytest.mark.parametrize(('filename', 'end'), [
    (None, 'cirros.iso'), ('auto', 'cirros.iso'), ('a b.iso', 'a%20b.iso')])
def test_a_url_that_ends_in_the_name_of_the_file(filename, end):
    iso = image(properties={**FACTS, 'disk_format': 'iso'})
    text, = exported([iso], ExportOptions('redfish'), request=URLOptions(filename=filename))
    assert json.loads(text)['Image'].endswith(f'&filename={end}')
    with pytest.raises(InvalidParameterValue, match='ends in the name of the file') as caught:
        exported([iso], ExportOptions('redfish'), request=URLOptions(inline=True))
    assert caught.value.names == ('inline',)
