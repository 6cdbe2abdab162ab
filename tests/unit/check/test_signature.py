"""What the checks of key, path, query and method say, by what was signed."""

import dataclasses

import pytest

from osc_imgurl.check.checks import make
from osc_imgurl.check.facts import FAIL, PASS, SKIPPED
from osc_imgurl.check.signature import check_key, check_method, check_path, check_query
from osc_imgurl.errors import (
    CREATE_URL,
    LIST_KEYS,
    SET_GIVEN_KEY,
    SET_KEY,
)
from osc_imgurl.settings.table import Settings
from osc_imgurl.swift.answers import Capabilities
from osc_imgurl.swift.probe import Answer
from osc_imgurl.tempurl.explain import MISTAKES, Signed
from osc_imgurl.tempurl.signing import compute

from ..stubs import OTHER_ID
from .given import (
    A1,
    A2,
    EXPIRES,
    GATEWAY,
    IMAGE_ID,
    KEY,
    OBJECT,
    OTHER_KEY,
    REFUSED,
    UNSEEN,
    WORKS,
    Probe,
    facts,
    failing,
    refused,
    remembered,
    signed,
    store,
)

TWO = store(account={A2: OTHER_KEY, A1: KEY})


def said(finding):
    return finding.result, finding.detail, finding.remedy, finding.names


@pytest.mark.parametrize(('of', 'wanted'), [
    (refused(), (PASS, f'signed with account key, fingerprint {KEY.fingerprint}', '', ())),
    (refused(signed(key=OTHER_KEY), store=TWO),
     (PASS, f'signed with account key 2, fingerprint {OTHER_KEY.fingerprint}', '', ())),
    # A key that is given and in a slot is that slot's.
    (refused(settings=Settings(key=KEY)),
     (PASS, f'signed with account key, fingerprint {KEY.fingerprint}', '', ())),
    (refused(store=failing('account_keys', UNSEEN)),
     (SKIPPED, 'which keys are set cannot be seen: Swift does not show it.', '', ())),
    (refused(store=None), (SKIPPED, 'which keys are set cannot be seen: Swift shows no key'
                                    ' without authentication.', '', ())),
    (refused(store=None, settings=Settings(key=KEY)),
     (SKIPPED, f'signed with the given key, fingerprint {KEY.fingerprint}; which keys are set'
               ' cannot be seen: Swift shows no key without authentication.', '', ())),
    (refused(store=None, settings=Settings(key=OTHER_KEY)),
     (FAIL, f'not signed with the given key, fingerprint {OTHER_KEY.fingerprint}, or altered in'
            ' more than one place; which keys are set cannot be seen: Swift shows no key without'
            ' authentication.', 'Give the key that signed it, or make a new URL.',
      ('key_file', CREATE_URL))),
    (facts(answer=Answer(None, 'no route'), store=None, settings=Settings(key=KEY)),
     (PASS, f'signed with the given key, fingerprint {KEY.fingerprint}', '', ())),
    (refused(store=store(account={})), (FAIL, 'there is no temporary URL key on AUTH_p or on'
                                              ' glance', 'Set one, and make a new URL.',
                                        (SET_KEY,))),
    (refused(GATEWAY, store=store('http://rgw/swift/v1', account={})),
     (FAIL, 'there is no temporary URL key on this account or on glance',
      'Set one, and make a new URL.', (SET_KEY,))),
    (refused(signed(key=OTHER_KEY)),
     (FAIL, f'signed with none of the keys that are set (account key {KEY.fingerprint}), or altered'
            ' in more than one place', 'Make a new URL; its key must be in a slot.', (LIST_KEYS,))),
    (refused(signed(key=OTHER_KEY), settings=Settings(key=OTHER_KEY)),
     (FAIL, f'signed with the given key {OTHER_KEY.fingerprint}, which is in no slot on AUTH_p or'
            ' on glance', 'Set it, or sign with one that is set.', (SET_GIVEN_KEY,))),
    (refused(signed(key=OTHER_KEY), cached=[remembered(signed(key=OTHER_KEY), key=OTHER_KEY)]),
     (FAIL, f'signed with the key {OTHER_KEY.fingerprint}, which has been replaced or removed'
            ' since', 'Make a new URL.', (CREATE_URL,))),
])
def test_key(of, wanted):
    assert said(check_key(of)) == wanted


UNKNOWN = (SKIPPED, 'without the key, what was signed is not known', 'Give the key.',
           ('key_file',))


CHECKS = {'key': check_key, 'path': check_path, 'query': check_query, 'method': check_method}


@pytest.mark.parametrize('mistake', MISTAKES, ids=lambda mistake: mistake.name)
def test_what_programs_do_wrong(mistake):
    url = signed(object='a b', endpoint='http://swift/proxy', prefix='a ')
    right = Signed('GET', EXPIRES, f'{OBJECT}a ', prefix='a ')
    text = next(iter(mistake.messages(url, right)))
    url = dataclasses.replace(
        url, signature=compute(text, KEY.value + mistake.key_end, 'sha256').hex())
    of = refused(url, image=None)
    findings = {part: said(check(of)) for part, check in CHECKS.items()}
    unseen = refused(url, image=None, store=None, settings=Settings(key=KEY))
    assert said(CHECKS[mistake.part](unseen)) == findings[mistake.part]
    assert findings.pop(mistake.part) == (
        FAIL, mistake.name, 'Sign this with the key as it is set, and nothing else:'
                            f" 'GET\\n{EXPIRES}\\nprefix:{OBJECT}a '.", ())
    assert {result for result, *_ in findings.values()} == {PASS}


@pytest.mark.parametrize(('of', 'wanted'), [
    (refused(), (PASS, 'the path is the one that was signed', '', ())),
    (refused(signed(prefix='3a')), (PASS, 'the path is the one that was signed', '', ())),
    (refused(dataclasses.replace(signed(prefix='3a'), path=signed(object='4b').path)),
     (FAIL, "the object 4b does not begin with the prefix '3a'", 'Make a URL for that object.',
      ())),
    (refused(signed(key=OTHER_KEY)), UNKNOWN),
    (dataclasses.replace(refused(), parsed=None), UNKNOWN),
    (refused(signed(object=OTHER_ID, signed_path=f'{OBJECT}{IMAGE_ID}')),
     (FAIL, f'the path has been altered: {OBJECT}{IMAGE_ID} was signed, and the URL says'
            f' {OBJECT}{OTHER_ID}', 'Make a URL for that object.', ())),
    # Another prefix is what the check of the query says.
    (refused(dataclasses.replace(signed(prefix='3a1f'), prefix='3a')),
     (PASS, 'the path is the one that was signed', '', ())),
])
def test_path(of, wanted):
    assert said(check_path(of)) == wanted


def altered(**changes):
    return refused(dataclasses.replace(signed(), **changes))


RANGED, PREFIXED = signed(ip_range='10.0.0.0/16'), signed(prefix='3a1f')
NEW = 'Use the URL as it was made, or make a new one with these values.'


@pytest.mark.parametrize(('of', 'wanted'), [
    (refused(), (PASS, 'expiry, prefix and IP range are those that were signed', '', ())),
    (refused(RANGED), (PASS, 'expiry, prefix and IP range are those that were signed', '', ())),
    (refused(PREFIXED), (PASS, 'expiry, prefix and IP range are those that were signed', '', ())),
    (refused(signed(key=OTHER_KEY)), UNKNOWN),
    (dataclasses.replace(refused(), parsed=None), UNKNOWN),
    (altered(expires=EXPIRES + 60),
     (FAIL, "the expiry has been altered: '2023-11-14T22:23:20Z' was signed, and the URL says"
            " '2023-11-14T22:24:20Z'", NEW, ())),
    (refused(dataclasses.replace(PREFIXED, prefix='3a')),
     (FAIL, "the prefix has been altered: '3a1f' was signed, and the URL says '3a'", NEW, ())),
    (refused(dataclasses.replace(PREFIXED, prefix=None)),
     (FAIL, "the prefix has been altered: '3a1f' was signed, and the URL says none", NEW, ())),
    (altered(prefix=''),
     (FAIL, "the prefix has been altered: none was signed, and the URL says ''", NEW, ())),
    (refused(dataclasses.replace(RANGED, ip_range='10.0.0.0/8')),
     (FAIL, "the IP range has been altered: '10.0.0.0/16' was signed, and the URL says"
            " '10.0.0.0/8'", NEW, ())),
    (altered(ip_range='10.0.0.0/8'),
     (FAIL, "the IP range has been altered: none was signed, and the URL says '10.0.0.0/8'", NEW,
      ())),
    (refused(dataclasses.replace(RANGED, ip_range='10.0.0.0/8', expires=EXPIRES + 60),
             cached=[remembered(RANGED)]),
     (FAIL, "the expiry has been altered: '2023-11-14T22:23:20Z' was signed, and the URL says"
            " '2023-11-14T22:24:20Z'; the IP range has been altered: '10.0.0.0/16' was signed, and"
            " the URL says '10.0.0.0/8'", NEW, ())),
])
def test_query(of, wanted):
    assert said(check_query(of)) == wanted


GET_ONLY = Capabilities(True, ('GET',), ('sha256',))
FOREIGN = signed(key=OTHER_KEY)
NO_KEY = (SKIPPED, 'without the key, the signed method is not known', 'Give the key.',
          ('key_file',))
TAKES_A_GET = Probe(WORKS)
TAKES_NO_GET = Probe(WORKS, GET=REFUSED)


@pytest.mark.parametrize(('of', 'wanted'), [
    (refused(), (PASS, 'signed for GET', '', ())),
    (refused(method='HEAD'), (PASS, 'signed for GET', '', ())),
    (refused(signed(method='PUT'), method='HEAD'), (PASS, 'signed for PUT', '', ())),
    (refused(signed(method='PUT')),
     (FAIL, 'the URL is signed for PUT, and not good for GET', 'Make a URL for GET.',
      ('method',))),
    (refused(signed(method='HEAD')),
     (FAIL, 'the URL is signed for HEAD, and not good for GET', 'Make a URL for GET.',
      ('method',))),
    (refused(method='DELETE'),
     (FAIL, 'This cluster supports temporary URLs for GET, HEAD, PUT, not for DELETE',
      'Use one of these.', ('method',))),
    (refused(method='HEAD', store=store(capabilities=GET_ONLY)),
     (FAIL, 'This cluster supports temporary URLs for GET, not for HEAD', 'Use one of these.',
      ('method',))),
    # A cluster that does not say what it takes.
    (refused(signed(method='DELETE'), method='DELETE', store=store(capabilities=Capabilities())),
     (PASS, 'signed for DELETE', '', ())),
    (facts(FOREIGN, method='HEAD'), (PASS, 'Swift answers a HEAD', '', ())),
    (facts(FOREIGN, method='HEAD', store=None), (PASS, 'Swift answers a HEAD', '', ())),
    (refused(FOREIGN, method='HEAD'), NO_KEY),
    (facts(FOREIGN), NO_KEY),
    (facts(FOREIGN, method='PUT', probe=TAKES_A_GET), NO_KEY),
    (refused(FOREIGN, probe=TAKES_A_GET), NO_KEY),
    (dataclasses.replace(facts(FOREIGN, probe=TAKES_A_GET), url=None), NO_KEY),
    (facts(FOREIGN, probe=TAKES_A_GET), (PASS, 'Swift answers a GET', '', ())),
    (facts(FOREIGN, probe=TAKES_NO_GET),
     (FAIL, 'Swift answers a HEAD, and HTTP 401 to a GET', 'Make a URL for GET.', ('method',))),
])
def test_method(of, wanted):
    assert said(make('method', of)) == wanted


def test_a_get_is_made_only_where_the_key_does_not_say_what_was_signed():
    for url, asked in ((signed(), []), (FOREIGN, [f'GET {FOREIGN.url}'])):
        probe = Probe(WORKS)
        check_method(facts(url, probe=probe))
        assert probe.asked == asked
