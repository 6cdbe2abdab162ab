"""``parse`` and ``verify`` say of a URL what Swift's own tempurl middleware says of it.

Random URLs are signed, spelled in another way, altered, and asked about: here, and in the
environment that Swift is in. No cloud is needed.
"""

import base64
import ipaddress
import json
import pathlib
import random
import re
import string
import subprocess
import sys
import time
import urllib.parse

import pytest

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.tempurl.options import (
    MAX_EXPIRES,
    METHODS,
    SWIFTS_MAX_EXPIRES,
    format_expires,
)
from osc_imgurl.tempurl.signing import Key, sign_path, verify
from osc_imgurl.tempurl.url import DIGESTS, decode_signature, parse, quote

from .conftest import ROOT

COUNT = 20_000
NOW = 1_800_000_000
ENDPOINT = 'https://swift.example.com'
KEYS = ['a key', 'ключ', 'k' * 200]
# What names are made of: letters, and what means something in a URL, a query or to Swift.
CHARACTERS = 'abcABC019' + '%+?#&=;:/\\._-~@!$\'"()<>[]{}|^`, ' + 'üß€Ж中😀\u0301\xa0'
CONTROLS = '\0\t\n\r\x1f\x7f'
# What one character is replaced with. Clients send no control characters; parse refuses them.
REPLACEMENTS = string.ascii_letters + string.digits + string.punctuation + ' üЖ😀'
RANGES = ['10.0.0.0/8', '10.0.0.1', '2001:db8::/32', '::1', '0.0.0.0/0', '10.0.0.1/8', '',
          'nonsense', '10.0.0.0/255.0.0.0', ' 10.0.0.1', '010.0.0.1', '10.0.0.0/08', '10.0.0.0/33',
          '2001:DB8::', 'fe80::1%1', '10', '/', '\u0661.1.1.1']


def text(rng, characters, least=1, most=8):
    return ''.join(rng.choices(characters, k=rng.randint(least, most)))


def object_name(rng):
    return rng.choice([
        lambda: text(rng, CHARACTERS),
        lambda: text(rng, CHARACTERS + CONTROLS),
        lambda: '/'.join(text(rng, CHARACTERS, 0, 4) for _ in range(rng.randint(2, 4))),
        lambda: rng.choice(['a/../b', '../x', '.', 'a//b', '/a', 'a/', '//', '/', 'v1/a/c/o',
                            'a%2Fb', '%00', 'a%zz', '3a1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5'])])()


def signatures(rng, digest, signature):
    """Return a signature in one of the ways to write it, good ones and bad ones."""
    value = decode_signature(signature)[1]
    standard = base64.b64encode(value).decode()
    urlsafe = base64.urlsafe_b64encode(value).decode()
    end = rng.choice(string.ascii_letters)
    return rng.choice([
        value.hex(), value.hex().upper(), value.hex().capitalize(), f' {value.hex()}',
        f'{digest}:{value.hex()}',
        f'{digest}:{standard}', f'{digest}:{urlsafe}', f'{digest}:{standard.rstrip("=")}',
        f'{digest}:{urlsafe.rstrip("=")}', f'{digest}:{standard}==', f'{digest}:={urlsafe}',
        f'{digest}:{standard[:20]}={standard[20:]}', f'{digest}:{urlsafe} ',
        f'{digest}:{urlsafe.rstrip("=")}A', f'{digest}:{urlsafe.rstrip("=")[:-1]}{end}',
        f'{digest}:{standard.replace("+", "-", 1)}', f'{digest}:{standard.replace("/", "_")}',
        f'{digest.upper()}:{standard}', f':{standard}', f'{rng.choice(DIGESTS)}:{standard}',
        f'md5:{standard}', f'{digest}:', '', ':', f'{digest}::{standard}', signature[:-1]])


def expiries(rng, expires):
    """Return an expiry in one of the ways to write it, good ones and bad ones."""
    forms = [lambda: f' {expires}', lambda: f'{expires}\n', lambda: f'+{expires}',
             lambda: f'00{expires}', lambda: f'{expires:_}', lambda: f'{expires}.0',
             lambda: f'{expires}e0', lambda: f'{expires:x}', lambda: f'-{expires}',
             lambda: str(expires).translate({48 + n: 0x660 + n for n in range(10)}),
             lambda: str(expires).translate({48 + n: 0xb2 + n for n in range(2)}),
             lambda: '', lambda: '9' * 5000]
    if 0 <= expires <= MAX_EXPIRES:
        iso = format_expires(expires)
        forms += [lambda: iso, lambda: iso, iso.lower, lambda: iso[:-1],
                  lambda: f'{iso[:-1]}+00:00', lambda: f'{iso[:-1]}.0Z', lambda: f' {iso}',
                  lambda: iso.replace('T', ' '), lambda: iso.replace('-0', '-'),
                  lambda: f'{iso[:-3]}{rng.randint(58, 63)}Z', lambda: iso.replace('-', ''),
                  lambda: f'{iso[:10]}T24:00:00Z', lambda: f'0{iso}']
    return rng.choice(forms)()


def spell(rng, value, safe):
    """Return a value as a query may write it."""
    shown = urllib.parse.quote(value, safe=rng.choice(['', '/:', safe]))
    if rng.random() < .2:
        shown = re.sub('%..', lambda escape: escape[0].lower(), shown)
    if shown and rng.random() < .02:
        place = rng.randrange(len(shown))
        shown = f'{shown[:place]}{rng.choice(["%FF", "%", "%C3", "%E2%82", "%ED%A0%80"])}' + (
            shown[place:])
    return shown


def url_and_key(rng):
    """Return a random URL, which most often is good, and the key that it is signed with."""
    key, digest, method = rng.choice(KEYS), rng.choice(DIGESTS), rng.choice(METHODS)
    account = rng.choice(['AUTH_x', 'AUTH_ü', text(rng, CHARACTERS.replace('/', ''))])
    container = rng.choice(['glance', text(rng, CHARACTERS.replace('/', '')), 'a/b'])
    name = object_name(rng)
    version = rng.choice(['v1'] * 100 + ['v1.0', 'v2', 'V1', 'v1 '])
    expires = rng.choice([NOW + rng.randint(1, 10**6)] * 60
                         + [NOW, NOW + 1, NOW - 1, 0, 1, MAX_EXPIRES, MAX_EXPIRES + 1, NOW * 1000,
                            SWIFTS_MAX_EXPIRES, SWIFTS_MAX_EXPIRES + 1, 10**30])
    ip_range = rng.choice([None] * 100 + RANGES)
    prefix = rng.choice([None] * 12 + [name[:rng.randint(0, len(name))]] * 6
                        + ['', text(rng, CHARACTERS)])
    start = f'/v1/{account}/{container}/'
    signature = sign_path(
        Key(key.encode()), start + (name if prefix is None else prefix), expires, method,
        ip_range=ip_range, prefix=prefix is not None, digest=digest)
    if rng.random() < .15:
        signature = signatures(rng, digest, signature)
    shown_expires = expiries(rng, expires) if rng.random() < .1 else str(expires)
    query = [('temp_url_sig', signature), ('temp_url_expires', shown_expires)]
    if ip_range is not None:
        query.append(('temp_url_ip_range', ip_range))
    if prefix is not None:
        query.append(('temp_url_prefix', prefix))
    if rng.random() < .3:
        query.append(('filename', text(rng, CHARACTERS + CONTROLS, 0)))
    if rng.random() < .3:
        query.append(('inline', rng.choice(['', '0', 'x'])))
    if rng.random() < .3:
        rng.shuffle(query)
    if rng.random() < .05:
        again = rng.choice(query)[0]
        query.insert(rng.randint(0, len(query)), (again, text(rng, CHARACTERS, 0)))
    if rng.random() < .05:
        query.append((text(rng, CHARACTERS), text(rng, CHARACTERS, 0)))
    shown = '&'.join(name if not value and rng.random() < .5 else f'{name}={value}' for
                     name, value in ((urllib.parse.quote(name), spell(rng, value, ':/@?;=,+'))
                                     for name, value in query))
    path = '/' + spell(rng, f'{version}/{account}/{container}/{name}', '/:@!$=,;+()')
    return f'{ENDPOINT}{path}?{shown}', key, method


def altered(rng, url):
    """Return a URL in which one character behind the host is another, or is missing."""
    place = rng.randrange(len(ENDPOINT) + 1, len(url))
    return url[:place] + rng.choice(['', rng.choice(REPLACEMENTS)]) + url[place + 1:]


def asked(rng):
    """Return a URL, a key and a method to ask about."""
    url, key, method = url_and_key(rng)
    if rng.random() < .3:
        url = altered(rng, url)
    if rng.random() < .03:
        key = rng.choice(KEYS)
    if rng.random() < .2:
        method = rng.choice(['HEAD', rng.choice(METHODS)])
    return url, key, method


def ours(url, key, method):
    """Return what this library reads from a URL, or why it takes it for no good one."""
    try:
        parsed = parse(url)
    except InvalidParameterValue as error:
        return str(error)
    verification = verify(parsed, Key(key.encode()), NOW, method)
    return parsed if verification.valid else f'fails: {", ".join(verification.failed)}'


def request(url, key, method):
    """Return a request as swift_tempurl.py takes it.

    What is not ASCII is percent-encoded, as clients do. An endpoint's own path is taken off, as
    the proxy does that serves Swift below one. The client's address is one of the range, if there
    are such: verify does not know the address.
    """
    target = url.removeprefix(ENDPOINT).partition('#')[0]
    address = '203.0.113.1'
    try:
        parsed = parse(url)
        if parsed.endpoint != ENDPOINT:
            target = quote(str(parsed.path)) + '?' + target.partition('?')[2]
        address = str(ipaddress.ip_network(parsed.ip_range)[0])
    except (ValueError, InvalidParameterValue):
        pass
    return method, urllib.parse.quote(target, safe=string.printable), address, key


@pytest.fixture(scope='module')
def swift():
    """Return a function that asks Swift's middleware."""
    folder = subprocess.run([sys.executable, ROOT / 'tools/make_venv.py', 'cloud'],
                            capture_output=True, text=True, check=True).stdout.strip()

    def ask(requests):
        done = subprocess.run(
            [f'{folder}/bin/python', pathlib.Path(__file__).with_name('swift_tempurl.py'),
             str(NOW)], input='\n'.join(map(json.dumps, requests)), capture_output=True,
            text=True, check=False, env={'PATH': '/usr/bin:/bin'})
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return ask


def read_by_swift(answer):
    """Return what the middleware has read from a URL that it takes."""
    query = {name: values[0] for name, values in urllib.parse.parse_qs(
        answer['query'], keep_blank_values=True).items()}
    return (query['temp_url_sig'], query.get('temp_url_prefix'), query.get('filename'),
            'inline' in query)


def read_by_us(parsed):
    return (decode_signature(parsed.signature)[1].hex(), parsed.prefix, parsed.filename or None,
            parsed.inline)


# Where this library refuses what the middleware takes: how its reason reads, and what else must be
# true. There is nothing that only the middleware refuses.
EXCEPTIONS = {
    # Swift writes no such year: a GET or HEAD through the URL fails, and others do not.
    'beyond the last year': lambda url, answer: answer['expires'] is None,
    # A path that is not UTF-8 has no text that could be signed: the middleware fails (500) but for
    # the URL of a prefix, which it hands on, and there the proxy answers 412.
    'it is not a URL': lambda url, answer: (
        '\ufffd' in urllib.parse.unquote(url.partition('?')[0])
        and 'temp_url_prefix=' in answer['query']),
    # A client takes such a part out of the path that it asks for, and so asks for another object.
    'has a part . or ..': lambda url, answer: bool(
        {'.', '..'} & set(urllib.parse.unquote(url.partition('?')[0]).split('/'))),
    # A GET or HEAD through the URL of an empty prefix gets past the middleware without an object,
    # for Swift's staticweb. Such a URL crashes gateways; this library takes none.
    'needs an object': lambda url, answer: 'temp_url_prefix=&' in answer['query'] + '&',
}


def test_the_same_answers(swift):
    rng = random.Random(20261122)
    questions = [asked(rng) for _ in range(COUNT)]
    answers = swift([request(*question) for question in questions])
    differences, met = [], set()
    taken = 0
    for (url, key, method), answer in zip(questions, answers, strict=True):
        found = ours(url, key, method)
        by_swift = answer['status'] == 200
        if not isinstance(found, str):
            taken += 1
            if not by_swift or read_by_us(found) != read_by_swift(answer) or (
                    method in ('GET', 'HEAD') and
                    answer['expires'] != time.strftime(
                        '%a, %d %b %Y %H:%M:%S GMT', time.gmtime(found.expires))):
                differences.append((url, method, answer, found))
        elif by_swift:
            reason = next((each for each in EXCEPTIONS if each in found), None)
            met.add(reason)
            if reason is None or not EXCEPTIONS[reason](url, answer):
                differences.append((url, method, answer, found))
    assert not differences, differences[0]
    # Both are asked often enough about what is good and what is not, and no exception is idle.
    assert COUNT * .3 < taken < COUNT * .7
    assert met == EXCEPTIONS.keys()
