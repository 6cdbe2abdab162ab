"""Glance, Swift and the probe as values that answer, and the image that they are asked about.

They stand for servers that answer what no local cloud can be made to answer, or not fast enough
for a table of cases. The functional tests go the same ways with real ones.
"""

import copy

from osc_imgurl.errors import ImageNotFound, MissingParameterValue, ObjectStoreNotAuthorized
from osc_imgurl.glance.image import Image, referenced_id, validate_active
from osc_imgurl.glance.location import parse
from osc_imgurl.swift.answers import Capabilities
from osc_imgurl.swift.endpoint import OfflineSwift
from osc_imgurl.swift.object_store import MemoizedStore
from osc_imgurl.swift.probe import Answer
from osc_imgurl.tempurl.endpoint import same_endpoint, split_storage_url

IMAGE_ID = '3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5'
OTHER_ID = '7bd1c4d2-0e57-4a8c-8d0c-5f6f6f1f8a11'
NOW = 1_700_000_000.5
OFFLINE = OfflineSwift()
MD5 = '5d41402abc4b2a76b9719d911017c592'


def image(*uris, id=IMAGE_ID, name='cirros', status='active', size=None, **fields):
    """Return an image that is kept at the URIs."""
    properties = {'size': size, 'checksum': MD5, **fields.pop('properties', {})}
    return Image(id, name, status, locations=tuple(map(parse, uris)), properties=properties,
                 **fields)


def clock():
    return NOW


class Store:
    """An object store's answers; it counts what it is asked.

    An answer may be an exception, which is raised, or a function of the question's arguments.
    ``objects`` are sizes by account, container and name; ``others`` the storage URLs of other
    interfaces.
    """

    def __init__(self, url='http://swift/v1/AUTH_p', *, capabilities=None, container=None,
                 account=None, objects=None, others=()):
        self.url = url
        self.others = others
        self.objects = objects or {}
        self.answers = {'capabilities': capabilities or Capabilities(),
                        'container_keys': container or {}, 'account_keys': account or {},
                        'find_object': lambda *path: self.objects.get(path),
                        'names': self._names, 'project_id': 'p'}
        self.asked = []

    def memoized(self):
        memo, again = MemoizedStore(self), copy.copy(self)
        for name in ('prefetch', 'container_keys', 'account_keys', 'capabilities', 'names'):
            setattr(again, name, getattr(memo, name))
        again.memoized = lambda: again
        return again

    def at(self, endpoint):
        return self

    def find_storage_url(self):
        return self.url

    def storage_url(self):
        if self.url is None:
            raise MissingParameterValue('There is no object-store in the catalog.')
        return self.url

    def storage_urls(self):
        return frozenset({self.url, *self.others} - {None})

    def unnamed_account(self):
        return MissingParameterValue(f'The URL {self.url} names no account.')

    def project_id(self):
        return self._answer('project_id', count=False)

    def project_names(self):
        return {'p', 'the project'}

    def auth_urls(self):
        return frozenset({'http://keystone:5000/v3'})

    def endpoints(self):
        return frozenset(split_storage_url(url)[0] for url in self.storage_urls())

    def has_endpoint(self, endpoint):
        return any(same_endpoint(endpoint, each) for each in self.endpoints())

    def request(self, *names, **options):
        raise ObjectStoreNotAuthorized('HTTP 403.')

    def _answer(self, question, *arguments, count=True):
        if count:
            self.asked.append(question)
        answer = self.answers[question]
        if isinstance(answer, Exception):
            raise answer
        return answer(*arguments) if callable(answer) else answer

    def _names(self, account, container):
        if container is None:
            return list(dict.fromkeys(path[1] for path in self.objects if path[0] == account))
        return [path[2] for path in self.objects if path[:2] == (account, container)]

    def capabilities(self, endpoint):
        return self._answer('capabilities', endpoint)

    def container_keys(self, account, container):
        return self._answer('container_keys', account, container)

    def account_keys(self, account):
        return self._answer('account_keys', account)

    def find_object(self, account, container, name):
        return self._answer('find_object', account, container, name)

    def names(self, account, container=None):
        return self._answer('names', account, container)


class Glance:
    """Images, found by ID or name; it writes down what it is asked.

    :param hidden: the IDs of those that no list shows.
    :param members: by an image's ID, which projects have accepted it.
    """

    def __init__(self, *images, hidden=(), members=None):
        self.images, self.hidden, self.members = images, hidden, members or {}
        self.answers = {}
        self.asked = []

    def find(self, reference):
        self.asked.append(f'find {reference}')
        for found in self.images:
            if (referenced_id(reference) or reference) in (found.id, found.name):
                return found
        raise ImageNotFound(f'No image has the name or ID {reference}.', 'Look at the list.')

    def find_id(self, image_id):
        assert referenced_id(image_id) == image_id
        return self.find(image_id)

    def show(self, reference):
        found = self.find(reference)
        validate_active(found)
        return found

    def detail(self, *, id=None, limit=None, **filters):
        self.asked.append(f'list {id or filters}')
        wanted = id.removeprefix('in:').split(',') if id else None
        shown = [each for each in self.images if each.id not in self.hidden
                 and (wanted is None or each.id in wanted)
                 and filters.get('status') in (None, each.status)]
        yield from shown[:limit]

    def accepted_members(self, image_id):
        self.asked.append(f'members {image_id}')
        return frozenset(self.members.get(image_id, ()))

    def locations(self, image_id):
        self.asked.append(f'locations {image_id}')
        answer = self.answers.get('locations', ())
        if isinstance(answer, Exception):
            raise answer
        return answer


WORKS = Answer(200, transaction='tx', date=NOW, size=5, md5=MD5)
REFUSED = Answer(401, transaction='tx', date=NOW)


class Probe:
    """Swift's answers to requests without a token; it writes down what it is asked.

    :param answer: to a HEAD.
    :param others: to other requests, by how method and URL begin.
    """

    def __init__(self, answer=WORKS, **others):
        self.answer, self.others = answer, others
        self.asked = []

    def ask(self, url, method='HEAD'):
        self.asked.append(f'{method} {url}')
        return next((answer for start, answer in self.others.items()
                     if self.asked[-1].startswith(start)), self.answer)
