"""Glance's list in pages: how many images are asked for, behind which, and when."""

import itertools
import threading
import urllib.parse

import pytest

from osc_imgurl.errors import GlanceFailed
from osc_imgurl.glance import pages


class Listing:
    """So many images, given as Glance gives them; what is asked for is kept."""

    def __init__(self, count):
        self.ids = [str(number) for number in range(count)]
        self.asked = []
        self.second = threading.Event()

    def __call__(self, url):
        path, _, query = url.partition('?')
        query = urllib.parse.parse_qs(query)
        size, marker = int(query.pop('limit')[0]), query.pop('marker', [None])[0]
        self.asked.append((size, marker))
        assert (path, threading.current_thread().daemon) == ('/v2/images', True)
        if len(self.asked) == 2:
            self.second.set()
        start = self.ids.index(marker) + 1 if marker else 0
        shown = [{'id': each} for each in self.ids[start:start + size]]
        more = {'next': '/v2/images?...'} if len(shown) == size else {}
        return {'images': shown, **more, 'schema': 'x'}


@pytest.mark.parametrize(('count', 'limit', 'marker', 'asked'), [
    (0, None, None, [(25, None)]),
    (24, None, None, [(25, None)]),
    (30, None, None, [(25, None), (100, '24')]),
    (3000, None, None, [(25, None), (100, '24'), (400, '124'), (1000, '524'), (1000, '1524'),
                        (1000, '2524')]),
    (3000, 0, None, []),
    (3000, 1, None, [(1, None)]),
    (3000, 25, None, [(25, None)]),
    (3000, 26, None, [(25, None), (1, '24')]),
    (3000, 600, None, [(25, None), (100, '24'), (400, '124'), (75, '524')]),
    (30, 100, None, [(25, None), (75, '24')]),
    (30, None, '27', [(25, '27')]),
    (3000, 3, '1000', [(3, '1000')]),
])
def test_what_is_asked_for(count, limit, marker, asked):
    listing = Listing(count)
    found = [image['id'] for page in pages.read(listing, {}, limit, marker) for image in page]
    start = listing.ids.index(marker) + 1 if marker else 0
    assert found == listing.ids[start:][:limit]
    assert listing.asked == asked


def test_the_next_page_is_on_its_way_while_one_is_in_use():
    listing = Listing(3000)
    read = pages.read(listing, {})
    assert listing.asked == []
    assert len(next(read)) == 25
    assert listing.second.wait(10)
    assert len(next(read)) == 100


def test_filters_are_quoted():
    asked = []
    filters = {'name': 'a b&c=ü', 'tag': ['x', 'y'], 'os_hidden': 'true'}
    assert list(pages.read(lambda url: asked.append(url) or {'images': []}, filters)) == [[]]
    assert asked == ['/v2/images?name=a+b%26c%3D%C3%BC&tag=x&tag=y&os_hidden=true&limit=25']


@pytest.mark.parametrize('error', [ValueError('x'), KeyboardInterrupt()])
def test_what_fails_fails_here(error):
    def get(url):
        raise error

    with pytest.raises(type(error)):
        next(pages.read(get, {}))


@pytest.mark.parametrize('page', [
    None, [], {'next': 'x'}, {'images': None}, {'images': [], 'next': 'x'},
    {'images': [5], 'next': 'x'}, {'images': [{}], 'next': 'x'}, {'images': {'id': 1}, 'next': 'x'},
    {'images': [{'id': []}], 'next': 'x'}])
def test_what_is_no_list(page):
    with pytest.raises(GlanceFailed, match=r'^Glance answers something else than a list of images'):
        list(pages.read(lambda url: page, {}))


@pytest.mark.parametrize('ids', [
    itertools.repeat('x'), itertools.cycle('xy'), map(str, itertools.count())])
def test_a_list_that_does_not_end(monkeypatch, ids):
    monkeypatch.setattr(pages, 'MOST_PAGES', 50)
    with pytest.raises(GlanceFailed, match=r'^Glance answers with a list that does not end\.'):
        list(pages.read(lambda url: {'images': [{'id': next(ids)}], 'next': 'x'}, {}))


def test_more_than_was_asked_for():
    page = {'images': [{'id': name} for name in 'abcde'], 'next': 'x'}
    assert list(pages.read(lambda url: page, {}, limit=3)) == [page['images'][:3]]
