"""What an image's properties and its name make of another project's image: nothing by stealth.

The operator is glance, whose token finds all images; demo is an ordinary user of another project,
and admin the project whose private image nobody else is to get.
"""

import json
import logging
import re

import pytest

from osc_imgurl import batch, errors
from osc_imgurl.glance.image_service import ImageService

from .conftest import download

LIST = ['image', 'temp', 'url', 'list']
NOBODY = '3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5'


@pytest.fixture(scope='module')
def sessions(cloud):
    return {user: cloud.sdk(user).session for user in ('glance', 'demo', 'admin')}


@pytest.fixture(scope='module')
def images(sessions):
    """Glance, as each user sees it."""
    return {user: ImageService(session) for user, session in sessions.items()}


@pytest.fixture(scope='module')
def projects(sessions):
    return {user: session.get_project_id() for user, session in sessions.items()}


@pytest.fixture(scope='module')
def victim(cloud):
    """A private image of the project admin."""
    return cloud.upload('secret', b'secret', cloud='admin', visibility='private')


@pytest.fixture(scope='module')
def demos(cloud):
    """Return a function that makes a private image of demo's, and returns its ID."""
    def make(name='machine', **properties):
        return cloud.upload(name, b'machine', cloud='demo', visibility='private', **properties)
    return make


@pytest.fixture
def listed(images):
    """Return a function that lists images and their boot images: found IDs, and failures."""
    def run(*named, user='glance', **filters):
        glance = images[user]
        found = (map(batch.Found, glance.detail(**filters)) if filters
                 else batch.find_images(named, glance))
        items = list(batch.with_boot_images(found, glance))
        return ([item.image.id for item in items if not isinstance(item, batch.Failure)],
                [str(item.error) for item in items if isinstance(item, batch.Failure)])
    return run


@pytest.fixture
def share(cloud, projects):
    """Return a function that shares an image of glance's with demo, which answers."""
    def run(image_id, status):
        path = f'/images/{image_id}/members'
        cloud.sdk().image.post(path, json={'member': projects['demo']})
        answer = cloud.sdk('demo').image.put(f'{path}/{projects["demo"]}', json={'status': status})
        assert answer.status_code == 200
    return run


@pytest.mark.parametrize(('name', 'form'), [('kernel_id', '{}'), ('ramdisk_id', 'glance://x/{}')])
def test_a_property_is_no_permission(cloud, victim, demos, name, form):
    machine = demos(**{name: form.format(victim)})
    result = cloud.openstack(*LIST, machine, '--with-boot-images', '--with-errors', '-f', 'json')
    own, other = json.loads(result.stdout)
    line, = result.stderr.splitlines()
    role = name.removesuffix('_id')
    assert (result.code, own['image_id'], own['error']) == (1, machine, None)
    assert other == {
        'image_id': victim, 'image_name': None, 'role': role, 'parent': machine,
        'expires_at': None, 'url': None, 'error': line}
    for words in (f'({machine}) names {victim} as its {role}. The owner of the former may not',
                  f'name {victim} itself on the command line'):
        assert words in line


def test_what_is_named_is_signed_in_whichever_order(cloud, listed, victim, demos):
    machine = demos(kernel_id=victim)
    assert listed(machine, victim) == ([machine, victim], [])
    assert listed(victim, machine) == ([victim, machine], [])
    rows = cloud.rows(*LIST, machine, victim, '--with-boot-images')
    assert [download(row['url']) for row in rows] == [b'machine', b'secret']


def test_one_line_for_each_that_names_it(listed, victim, demos):
    first, second = (demos(kernel_id=victim, ramdisk_id=victim) for _ in range(2))
    found, lines = listed(first, second, first)
    assert found == [first, second]
    assert [re.search(r'Image .* \((.*)\) names', line)[1] for line in lines] == [
        first, first, second, second]
    assert [line for line in lines if 'as its ramdisk' in line] == lines[1::2]


def test_a_refusal_does_not_stand_in_anothers_way(cloud, listed, victim, demos):
    evil = demos(kernel_id=victim)
    good = cloud.upload('good', b'machine', cloud='admin', kernel_id=victim)
    assert listed(evil, good) == ([evil, good, victim], [])
    assert listed(good, evil) == ([good, victim, evil], [])


def test_what_matches_the_filters_is_listed_in_its_own_right(cloud, listed, victim, demos):
    kernel = cloud.upload('z', b'kernel', cloud='admin', visibility='private', kind='boot')
    evil = demos('a', kernel_id=kernel, ramdisk_id=victim, kind='boot')
    found, (line,) = listed(kind='boot', sort='name:asc')
    assert found == [evil, kernel]
    assert f'({evil}) names {victim}' in line


@pytest.mark.parametrize('visibility', ['public', 'community', 'private'])
def test_who_may_see_a_boot_image(cloud, listed, demos, visibility):
    kernel = cloud.upload('kernel', b'kernel', visibility=visibility)
    own = cloud.upload('own', b'machine', visibility='private', kernel_id=kernel)
    assert listed(own) == ([own, kernel], [])
    other = demos(kernel_id=kernel)
    assert listed(other)[0] == ([other] if visibility == 'private' else [other, kernel])


def test_sharing_counts_once_it_is_accepted(cloud, listed, share, demos):
    kernel = cloud.upload('kernel', b'kernel', visibility='shared')
    own = cloud.upload('own', b'machine', visibility='private', kernel_id=kernel)
    other = demos(kernel_id=kernel)
    assert listed(own) == ([own, kernel], [])
    assert listed(other)[0] == [other]
    for status, found in (('pending', [other]), ('accepted', [other, kernel]),
                          ('rejected', [other])):
        share(kernel, status)
        assert listed(other)[0] == found


def test_a_member_sees_its_own_membership(cloud, listed, share, demos, projects, key_file):
    kernel = cloud.upload('kernel', b'kernel', visibility='shared')
    machine = demos(kernel_id=kernel)
    share(kernel, 'accepted')
    rows = cloud.rows(*LIST, machine, '--with-boot-images', '--account',
                      f'AUTH_{projects["glance"]}', '--key-file', key_file('a key'), cloud='demo')
    assert [download(row['url']) for row in rows] == [b'machine', b'kernel']


def test_nobody_is_asked_more_than_is_needed(cloud, listed, victim, demos, caplog):
    caplog.set_level(logging.DEBUG, 'osc_imgurl')
    kernel, ramdisk = (cloud.upload('boot', b'boot', visibility='shared') for _ in range(2))
    machine = cloud.upload('machine', b'machine', kernel_id=kernel, ramdisk_id=ramdisk)
    evil = [demos(kernel_id=kernel, ramdisk_id=victim) for _ in range(3)]
    for named, boots, members in (([machine], [kernel, ramdisk], []),
                                  (evil, [kernel, victim], [f'/{kernel}/members']),
                                  ([kernel, machine], [kernel, ramdisk], [])):
        caplog.clear()
        listed(*named)
        # The first asks for what is named.
        assert re.findall('Glance request: GET /v2/images(.*)', caplog.text)[1:] == [
            f'?id=in%3A{"%2C".join(boots)}&limit=25', *members]


@pytest.mark.parametrize(('value', 'problem'), [
    ('secret', "names 'secret' as its kernel. That is no image ID"),
    ('../x', "names '../x' as its kernel. That is no image ID"),
    ('glance://host/secret', "names 'glance://host/secret' as its kernel. That is no image ID"),
    ('x' * 10_000, "names 'xxx"),
    (NOBODY, f'names {NOBODY} as its kernel. No image has the ID'),
    (NOBODY.upper(), f'names {NOBODY.upper()} as its kernel. No image has the ID'),
])
def test_only_an_id_names_a_boot_image(cloud, listed, victim, value, problem):
    machine = cloud.upload('machine', b'machine', kernel_id=value, ramdisk_id='')
    found, (line,) = listed(machine)
    assert found == [machine]
    assert f'({machine}) {problem}' in line and len(line) < 300


@pytest.mark.parametrize('command', [
    ['image', 'temp', 'url', 'create'], LIST, ['image', 'temp', 'url', 'check'],
    ['image', 'location', 'show'], [*LIST, '--marker']])
def test_a_name_of_another_projects_image_costs_a_warning(cloud, projects, demos, command):
    name = f'deploy {"".join(command)}'
    image = demos(name)
    result = cloud.openstack(*command, name)
    assert result.code == 0
    assert result.stderr.splitlines() == [
        f'The image with the name {name!r} is {image}, of another project: its owner is'
        f' {projects["demo"]}, and its visibility private. If that is the image that you mean,'
        ' use its ID.']


def test_a_name_like_an_id_is_no_other_projects(cloud, images, listed, demos, data):
    """It counts as a name where no image has the ID, as for openstack image show."""
    name, gone = cloud.upload('gone', data), cloud.upload('gone', data)
    for image_id in name, gone:
        cloud.sdk().image.delete_image(image_id)
    demos(name)
    assert images['glance'].find_id(demos('other')).name == 'other'
    assert 'No image has the ID' in cloud.refused(name)
    own = cloud.upload(gone, data)
    result = cloud.openstack('image', 'temp', 'url', 'create', gone, '-f', 'value', '-c', 'url')
    assert result.stderr == f'No image has the ID {gone}. The image {own} has it for a name.\n'
    assert download(result.stdout.strip()) == data
    assert [row['image_id'] for row in cloud.rows(*LIST, gone)] == [own]
    # What anybody writes into a property is an ID and nothing else.
    booting = cloud.upload('booting', data, kernel_id=gone)
    assert listed(booting)[0] == [booting]
    assert cloud.openstack('image', 'show', gone).code == 0


def test_an_id_and_ones_own_name_cost_no_warning(images, demos, caplog):
    image = demos('mine')
    assert images['glance'].find(image).id == images['demo'].find('mine').id == image
    assert not caplog.records


def test_ones_own_comes_before_others_of_the_same_name(cloud, images, demos, caplog,
                                                        monkeypatch):
    monkeypatch.setattr('osc_imgurl.glance.client.FIRST_PAGE_SIZE', 1)
    monkeypatch.setattr('osc_imgurl.glance.client.PAGE_SIZE', 2)
    others = [demos('twice') for _ in range(4)]
    own = [cloud.upload('twice', b'own', visibility='private')]
    # More than one page of others, older and newer, does not hide it.
    others += [demos('twice') for _ in range(4)]
    assert images['glance'].find('twice').id == own[0]
    assert not caplog.records
    own.append(cloud.upload('twice', b'own', visibility='private'))
    line = cloud.refused('twice')
    assert "2 images have the name 'twice'" in line
    assert all(image in line for image in own) and not any(image in line for image in others)


def test_several_of_others(images, projects, demos, monkeypatch):
    monkeypatch.setattr('osc_imgurl.glance.image_service.MOST_SHOWN', 2)
    ids = [demos('often') for _ in range(3)]
    with pytest.raises(errors.ImageNotUnique, match="3 images have the name 'often'") as raised:
        images['glance'].find('often')
    text = str(raised.value)
    assert sum(f'{image} (owner {projects["demo"]})' in text for image in ids) == 2
    assert text.endswith(' and 1 more')


def test_a_public_image_costs_no_warning_and_an_accepted_one_does(
        cloud, images, share, projects, caplog):
    cloud.upload('for all', b'for all', visibility='public')
    images['demo'].find('for all')
    assert not caplog.records
    image = cloud.upload('for demo', b'for demo', visibility='shared')
    with pytest.raises(errors.ImageNotFound):
        images['demo'].find('for demo')
    share(image, 'accepted')
    assert images['demo'].find('for demo').id == image
    assert f'its owner is {projects["glance"]}, and its visibility shared' in caplog.text


def test_hidden_images(cloud, images, demos, caplog):
    demos('hidden')
    own = cloud.upload('hidden', b'own', visibility='private', os_hidden=True)
    assert images['glance'].find('hidden').id == own
    # A public image is what has come in place of one's own hidden one.
    public = cloud.upload('replaced', b'public', cloud='admin', visibility='public')
    cloud.upload('replaced', b'own', visibility='private', os_hidden=True)
    assert images['glance'].find('replaced').id == public
    assert not caplog.records
    image = demos('hidden attacker', os_hidden=True)
    assert images['glance'].find('hidden attacker').id == image
    assert f'is {image}, of another project' in caplog.text


def test_list_shows_whose_an_image_is(cloud, projects, victim):
    machine = cloud.upload('machine', b'machine', visibility='community')
    rows = cloud.rows(*LIST, machine, victim, '--long')
    assert [(row['owner'], row['visibility']) for row in rows] == [
        (projects['glance'], 'community'), (projects['admin'], 'private')]
