"""Many images: their order, what fails as a row, how little is asked for, and how much at once."""

import threading
from unittest.mock import Mock

import pytest

from osc_imgurl import batch
from osc_imgurl.batch import (
    Failure,
    Found,
    checked,
    create_all,
    find_images,
    warn_of_guesses,
    with_boot_images,
)
from osc_imgurl.create import create_for
from osc_imgurl.errors import (
    GlanceFailed,
    ImageNotFound,
    ImageUnacceptable,
    InvalidParameterValue,
    TempURLRefused,
)
from osc_imgurl.glance.image import Image
from osc_imgurl.settings.table import Settings
from osc_imgurl.target.store import Cloud
from osc_imgurl.tempurl.options import URLOptions
from osc_imgurl.tempurl.signing import Key

from .stubs import NOW, Glance, Store, clock, image


def uuid(number):
    return f'00000000-0000-4000-8000-{number:012}'


def images(count):
    return [image(id=uuid(number), name=f'image {number}') for number in range(count)]


def shown(found):
    """Return IDs of images, and what fails with a minus in front."""
    return [f'-{each.image}' if isinstance(each, Failure) else each.image.id for each in found]


def test_images_come_in_the_order_in_which_they_are_named():
    a, b, c = images(3)
    glance = Glance(a, b, c)
    named = [c.id, 'image 0', f'glance://host/{b.id}', 'nobody', a.id, c.id, uuid(9)]
    found = list(find_images(named, glance))
    assert shown(found) == [c.id, a.id, b.id, '-nobody', a.id, c.id, f'-{uuid(9)}']
    assert {type(each.error) for each in found if isinstance(each, Failure)} == {ImageNotFound}


def test_many_ids_are_asked_for_with_one_request():
    known = images(3)
    glance = Glance(*known)
    assert shown(find_images([each.id for each in known], glance)) == [uuid(0), uuid(1), uuid(2)]
    assert glance.asked == [f'list in:{uuid(0)},{uuid(1)},{uuid(2)}']


def test_names_are_in_no_list_of_ids():
    glance = Glance(*images(2))
    assert shown(find_images(['image 1', uuid(0)], glance)) == [uuid(1), uuid(0)]
    assert glance.asked == [f'list in:{uuid(0)}', 'find image 1']
    glance = Glance(*images(2))
    assert shown(find_images(['image 1'], glance)) == [uuid(1)]
    assert glance.asked == ['find image 1']


def test_an_image_that_no_list_shows_is_asked_for_itself():
    glance = Glance(*images(2), hidden=[uuid(1)])
    assert shown(find_images([uuid(0), uuid(1)], glance)) == [uuid(0), uuid(1)]
    assert glance.asked[1:] == [f'find {uuid(1)}']


@pytest.mark.parametrize(('count', 'requests'), [
    (0, []), (1, [1]), (49, [49]), (50, [50]), (51, [50, 1]), (120, [50, 50, 20])])
def test_one_request_asks_for_so_many(count, requests):
    glance = Glance(*images(count))
    assert shown(find_images(map(uuid, range(count)), glance)) == list(map(uuid, range(count)))
    assert [len(each.split(',')) for each in glance.asked] == requests


def test_no_more_names_are_read_than_two_requests_ask_for():
    read = []

    def names():
        for number in range(200):
            read.append(number)
            yield uuid(number)

    found = find_images(names(), Glance(*images(200)))
    assert read == []
    next(found)
    assert len(read) == batch.BATCHES_AT_ONCE * batch.BATCH_SIZE


def boots(kernel=None, ramdisk=None, *, number=0, owner='p', **fields):
    """Return an image that names others as its kernel."""
    named = {'kernel_id': kernel, 'ramdisk_id': ramdisk}
    return image(id=uuid(number), owner=owner, properties=named, **fields)


def boot(number, owner='p', visibility='private'):
    return image(id=uuid(number), owner=owner, visibility=visibility)


def with_boots(found, glance):
    return with_boot_images((each if isinstance(each, Failure) else Found(each)
                             for each in found), glance)


def roles(found):
    """Return what each image is there for."""
    return [(each.image.id, each.role, each.parent) for each in found]


def test_boot_images_come_behind_the_image_that_names_them():
    first, second = boots(uuid(11), uuid(12)), boots(uuid(13), number=1)
    glance = Glance(boot(11), boot(12), boot(13))
    assert shown(with_boots([first, second], glance)) == [
        uuid(0), uuid(11), uuid(12), uuid(1), uuid(13)]


def test_who_looks_for_the_kernel_of_an_image_finds_it():
    first, second = boots(uuid(11), uuid(11)), boots(uuid(12), uuid(11), number=1)
    glance = Glance(boot(11), boot(12))
    found = with_boots([boot(12), first, second, first, boot(12)], glance)
    assert roles(found) == [
        (uuid(12), 'image', None),
        (uuid(0), 'image', None), (uuid(11), 'kernel', uuid(0)), (uuid(11), 'ramdisk', uuid(0)),
        (uuid(1), 'image', None), (uuid(12), 'kernel', uuid(1)), (uuid(11), 'ramdisk', uuid(1))]
    # Each is looked for once, and all with one request.
    assert glance.asked == [f'list in:{uuid(11)},{uuid(12)}']


def test_what_fails_says_for_which_image():
    found = with_boots([boots('image 1', uuid(11)), boots(uuid(12), number=1)], Glance(boot(12)))
    assert [(each.role, each.parent) for each in found] == [
        ('image', None), ('image', None), ('kernel', uuid(1)), ('kernel', uuid(0)),
        ('ramdisk', uuid(0))]
    asleep = Found(Image(uuid(2), status='queued'), 'ramdisk', uuid(0))
    failure, = create_all([asleep], making())
    assert (failure.role, failure.parent) == ('ramdisk', uuid(0))


def test_a_boot_image_that_names_others_itself():
    """What it names counts once it is named itself."""
    kernel = boots(uuid(12), number=11)
    glance = Glance(kernel, boot(12))
    assert shown(with_boots([boots(uuid(11))], glance)) == [uuid(0), uuid(11)]
    assert shown(with_boots([boots(uuid(11)), kernel], glance)) == [
        uuid(0), uuid(11), uuid(11), uuid(12)]


def test_failures_stay_where_they_are():
    lost = Failure('lost', ImageNotFound('It is not there.'))
    assert shown(with_boots([lost, boots(uuid(11)), lost], Glance(boot(11)))) == [
        '-lost', uuid(0), uuid(11), '-lost']


def test_a_reference_may_be_a_glance_url():
    glance = Glance(boot(11))
    assert shown(with_boots([boots(f'glance://host/{uuid(11)}')], glance)) == [
        uuid(0), uuid(11)]


@pytest.mark.parametrize(('naming', 'named', 'members', 'allowed'), [
    (boots(uuid(11)), boot(11), {}, True),
    (boots(uuid(11)), boot(11, 'q'), {}, False),
    (boots(uuid(11)), boot(11, 'q', 'public'), {}, True),
    (boots(uuid(11)), boot(11, 'q', 'community'), {}, True),
    (boots(uuid(11)), boot(11, 'q', 'shared'), {uuid(11): ['p']}, True),
    (boots(uuid(11)), boot(11, 'q', 'shared'), {uuid(11): ['r']}, False),
    (boots(uuid(11)), boot(11, 'q', 'private'), {uuid(11): ['p']}, False),
    (boots(uuid(11)), boot(11, 'p', 'shared'), {}, True),
    (boots(uuid(11), owner=None), boot(11, None), {}, False),
])
def test_a_boot_image_counts_if_the_naming_images_owner_may_see_it(naming, named, members,
                                                                   allowed):
    found = list(with_boots([naming], Glance(named, members=members)))
    assert shown(found) == [uuid(0), uuid(11) if allowed else f'-{uuid(11)}']
    if not allowed:
        error = found[1].error
        assert isinstance(error, ImageUnacceptable)
        assert error.problem == (
            f'Image cirros ({uuid(0)}) names {uuid(11)} as its kernel. The owner of the former may'
            ' not see the latter, so that this is no permission to sign it.')
        assert error.remedy == f'If it is meant, name {uuid(11)} itself on the command line.'


def test_members_are_asked_for_only_where_they_count_and_once():
    shared = boot(11, 'q', 'shared')
    glance = Glance(shared, boot(12, 'q'), boot(13, 'p', 'shared'), members={uuid(11): ['p']})
    naming = [boots(uuid(11), uuid(12)), boots(uuid(11), uuid(13), number=1, owner='r'),
              boots(uuid(13), number=2)]
    list(with_boots(naming, glance))
    assert [each for each in glance.asked if each.startswith('members')] == [
        f'members {uuid(11)}', f'members {uuid(13)}']


@pytest.mark.parametrize(('reference', 'named', 'kind', 'reason'), [
    (uuid(11), uuid(11), ImageNotFound, f'No image has the name or ID {uuid(11)}.'),
    # Never by a name, which anybody may give to an image.
    ('image 1', "'image 1'", InvalidParameterValue, 'That is no image ID.'),
    (7, "'7'", InvalidParameterValue, 'That is no image ID.'),
    ('x' * 1000, "'xxxxxxxxxxxx...xxxxxxxxxxxxx'", InvalidParameterValue, 'That is no image ID.'),
])
def test_a_boot_image_that_is_not_there(reference, named, kind, reason):
    found = list(with_boots([boots(reference)], Glance(*images(2))))
    assert shown(found) == [uuid(0), f'-{named}']
    assert type(found[1].error) is kind
    assert found[1].error.problem == (
        f'Image cirros ({uuid(0)}) names {named} as its kernel. {reason}')
    assert found[1].error.remedy


def test_failures_of_boot_images_come_last_and_only_if_no_other_image_names_them():
    """An image that the user names, or that its own owner names, is to be signed."""
    foreign, named = boot(11, 'q'), boots(uuid(11), number=2, owner='q')
    glance = Glance(foreign)
    found = [boots(uuid(11), 'image 1'), boot(1)]
    assert shown(with_boots(found, glance)) == [
        uuid(0), uuid(1), f'-{uuid(11)}', "-'image 1'"]
    assert shown(with_boots([*found, foreign], glance)) == [
        uuid(0), uuid(1), uuid(11), "-'image 1'"]
    assert shown(with_boots([*found, named], glance)) == [
        uuid(0), uuid(1), uuid(2), uuid(11), "-'image 1'"]


def test_an_image_that_is_named_twice_fails_once():
    naming = boots('image 1')
    assert shown(with_boots([naming, naming], Glance())) == [uuid(0), "-'image 1'"]


@pytest.mark.parametrize('nothing', [None, ''])
def test_what_is_empty_names_no_image(nothing):
    assert shown(with_boots([boots(nothing, nothing), image(id=uuid(1))], Glance())) == [
        uuid(0), uuid(1)]


def test_many_boot_images_are_asked_for_with_one_request_and_none_twice():
    naming = [boots(uuid(100 + 2 * number), uuid(101 + 2 * number), number=number)
              for number in range(30)]
    naming += [boots(uuid(100), uuid(200), number=30)]
    glance = Glance(*(boot(number) for number in range(100, 160)), boot(200), hidden=[uuid(200)])
    assert [each[0] for each in roles(with_boots(naming, glance))] == [
        each for image in naming
        for each in (image.id, image.properties['kernel_id'], image.properties['ramdisk_id'])]
    lists = [each.count(',') + 1 for each in glance.asked if each.startswith('list')]
    assert sorted(lists) == [11, 50]
    # What no list shows is asked for itself.
    assert [each for each in glance.asked if each.startswith('find')] == [f'find {uuid(200)}']


def test_no_more_images_are_read_than_two_requests_ask_for():
    read = []
    found = (read.append(each) or each for each in images(200))
    next(with_boots(found, Glance()))
    assert len(read) == batch.BATCHES_AT_ONCE * batch.BATCH_SIZE // 2


def test_a_glance_that_gives_no_list_costs_the_boot_images_only(monkeypatch):
    glance = Glance(boot(11))
    monkeypatch.setattr(glance, 'detail', Mock(side_effect=GlanceFailed('HTTP 503.')))
    assert shown(with_boots([boots(uuid(11)), boot(1)], glance)) == [
        uuid(0), uuid(1), f'-{uuid(11)}']


def test_the_remedy_for_a_boot_image_names_the_setting(monkeypatch):
    glance = Glance()
    monkeypatch.setattr(glance, 'detail', Mock(side_effect=GlanceFailed(
        'HTTP 503.', 'Wait longer.', 'timeout')))
    *_, failure = with_boots([boots(uuid(11))], glance)
    assert (failure.error.remedy, failure.error.names) == ('Wait longer.', ('timeout',))


def test_so_many_names_are_asked_for_at_once_and_they_come_in_order(monkeypatch):
    known = images(2 * batch.IMAGES_AT_ONCE)
    together = threading.Barrier(batch.IMAGES_AT_ONCE)
    glance = Glance(*known)
    find = glance.find
    monkeypatch.setattr(glance, 'find', lambda name: together.wait(30) * 0 or find(name))
    assert shown(find_images([each.name for each in known], glance)) == [
        each.id for each in known]


def making(options=URLOptions(), clock=clock):
    """Return a function that makes an image's URL."""
    settings = Settings(key=Key(b'a key'), digest='sha256')
    cloud = Cloud(Glance(), Store())
    return lambda image: create_for(image, options, cloud, settings, clock)


def test_each_image_gets_a_url_or_says_why_not():
    good, asleep, foreign = images(3)
    asleep = Image(asleep.id, status='deactivated')
    foreign = image('file:///x', id=foreign.id)
    evil = image(f'swift+https://evil/v1/AUTH_x/glance/{uuid(3)}', id=uuid(3))
    lost = Failure('lost', ImageNotFound('It is not there.'))
    wanted = [lost, *map(Found, [asleep, good, foreign, evil, good])]
    made = list(create_all(wanted, making(URLOptions('PUT'))))
    assert [each.image if isinstance(each, Failure) else each.found.image.id for each in made] == [
        'lost', asleep.id, good.id, foreign.id, evil.id, good.id]
    assert made[0] is lost
    assert [type(each).__name__ for each in made] == [
        'Failure', 'Failure', 'Made', 'Failure', 'Failure', 'Made']
    assert 'is deactivated' in made[1].error.problem
    assert 'is not in Swift' in made[3].error.problem
    assert 'is trusted' in made[4].error.problem
    assert (made[2].temp_url.method, made[2].temp_url.temp_url.expires) == ('PUT', int(NOW) + 1200)


def test_each_url_is_made_when_it_is_needed_by_the_clock_of_that_moment():
    moments = iter([NOW, NOW + 60])
    read = []
    found = (read.append(each.id) or Found(each) for each in images(2))
    made = create_all(found, making(clock=lambda: next(moments)))
    assert read == []
    assert (next(made).temp_url.temp_url.expires, read) == (int(NOW) + 1200, [uuid(0)])
    assert next(made).temp_url.temp_url.expires == int(NOW) + 1260


def test_so_many_are_made_at_once_in_the_order_of_the_images():
    together, read = threading.Barrier(3), []

    def make(image):
        together.wait(30)
        if image.id == uuid(1):
            raise ImageUnacceptable('It fails.')
        return making()(image)

    lost = Failure('lost', ImageNotFound('It is not there.'))
    found = (read.append(each) or each for each in [*map(Found, images(6)), lost])
    made = create_all(found, make, 3)
    assert names([next(made)]) == [uuid(0)] and len(read) == 3
    assert names(made) == [f'-{uuid(1)}', *map(uuid, range(2, 6)), '-lost']


def test_a_url_that_has_waited_for_others_is_made_again(monkeypatch):
    """The first takes an hour, and the URL of the second lives for 20 minutes."""
    moments = {uuid(0): 3600, uuid(1): 10, uuid(2): 3550}
    asked, hour = [], threading.local()

    def make(image):
        hour.now = moments[image.id] if image.id not in asked else 3601
        asked.append(image.id)
        return making(clock=lambda: NOW + hour.now)(image)

    hour.now = 3600
    monkeypatch.setattr(batch.time, 'monotonic', lambda: hour.now)
    made = list(create_all(map(Found, images(3)), make, 3))
    assert names(made) == [uuid(0), uuid(1), uuid(2)]
    assert [each.temp_url.expires - int(NOW) - 1200 for each in made] == [3600, 3601, 3550]
    assert sorted(asked) == [uuid(0), uuid(1), uuid(1), uuid(2)]


class Checker:
    """Stands for create's check of a new URL; what it does is given, and it counts.

    Real ones ask Swift, which cannot be made to answer in a certain order.
    """

    def __init__(self, does=lambda made: None):
        self.does, self.lock = does, threading.Lock()
        self.now, self.most, self.moments = 0, 0, []

    def check(self, made, now):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
            self.moments.append(now)
        try:
            self.does(made)
            return made
        finally:
            with self.lock:
                self.now -= 1


def urls(count):
    return create_all(map(Found, images(count)), making())


def names(made):
    return [f'-{each.image}' if isinstance(each, Failure) else each.found.image.id
            for each in made]


def test_those_that_work_come_in_the_same_order_and_failures_in_place_of_the_others():
    def refuse(made):
        if made.image.id in (uuid(1), uuid(4)):
            raise TempURLRefused('It does not work.')

    lost = Failure('lost', ImageNotFound('It is not there.'))
    made = [*urls(5), lost]
    found = list(checked(made, Checker(refuse), lambda: NOW))
    assert names(found) == [uuid(0), f'-{uuid(1)}', uuid(2), uuid(3), f'-{uuid(4)}', '-lost']
    assert found[0] == made[0] and found[5] is lost
    assert str(found[1].error) == 'It does not work.'


def test_a_failure_is_not_checked():
    checker = Checker()
    lost = Failure('lost', GlanceFailed('It is not there.'))
    assert list(checked([lost, lost], checker, lambda: NOW)) == [lost, lost]
    assert list(checked([], checker, lambda: NOW)) == []
    assert checker.moments == []


def test_the_first_answer_may_be_the_last_to_come():
    last = threading.Event()

    def wait(made):
        if made.image.id == uuid(0):
            assert last.wait(30)
        elif made.image.id == uuid(batch.CHECKS_AT_ONCE - 1):
            last.set()

    found = checked(urls(40), Checker(wait), lambda: NOW)
    assert names(found) == list(map(uuid, range(40)))


def test_so_many_are_asked_at_once_and_no_more_are_on_their_way():
    together = threading.Barrier(batch.CHECKS_AT_ONCE)
    checker = Checker(lambda made: together.wait(30))
    read = []
    made = (read.append(each) or each for each in urls(3 * batch.CHECKS_AT_ONCE))
    found = checked(made, checker, lambda: NOW)
    assert read == []
    next(found)
    # All of them were under way, or the barrier had not let them through.
    assert (checker.most, len(read)) == (batch.CHECKS_AT_ONCE, batch.CHECKS_AT_ONCE)
    next(found)
    assert len(read) == batch.CHECKS_AT_ONCE + 1
    assert len(list(found)) == 3 * batch.CHECKS_AT_ONCE - 2
    assert checker.most == batch.CHECKS_AT_ONCE == 16


def test_fewer_than_are_asked_at_once_are_asked_at_once():
    together = threading.Barrier(3)
    checker = Checker(lambda made: together.wait(30))
    assert names(checked(urls(3), checker, lambda: NOW)) == [uuid(0), uuid(1), uuid(2)]


def test_each_url_is_checked_by_the_clock_of_its_moment():
    moments = iter(range(3))
    checker = Checker()
    list(checked(urls(3), checker, lambda: next(moments)))
    assert sorted(checker.moments) == [0, 1, 2]


def test_a_warning_of_many_urls_is_given_once(caplog):
    list(create_all(map(Found, images(3)), making(URLOptions('DELETE'))))
    assert caplog.messages == ['Anyone with this URL can remove the object until it expires']


def test_a_list_says_once_that_its_urls_are_not_verified(caplog):
    lost = Failure('lost', ImageNotFound('It is not there.'))
    made = [lost, *urls(3)]
    assert list(warn_of_guesses(made)) == made
    message, = caplog.messages
    assert f'Glance does not show where it keeps image image 0 ({uuid(0)}): ' in message


def test_a_list_of_images_whose_targets_are_shown_warns_of_nothing(caplog):
    known = [image(f'swift+config://ref1/glance/{each.id}', id=each.id) for each in images(2)]
    made = create_all(map(Found, known), making())
    assert len(list(warn_of_guesses(made))) == 2
    assert not caplog.messages
