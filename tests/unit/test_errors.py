"""What the library says is one line that does nothing to a terminal, whoever wrote parts of it."""

import base64
import html
import importlib
import json
import logging
import pkgutil
import traceback
import types
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

import osc_imgurl
from osc_imgurl.check.facts import failed
from osc_imgurl.errors import (
    MAX_QUOTED,
    MAX_SECRETS,
    ImgurlError,
    hide_secrets,
    logger,
    one_line,
    printable,
    remember,
    remember_in,
)

# Every character there is, lone surrogates included.
texts = st.text(st.characters())
# Default_Ignorable_Code_Point, in DerivedCoreProperties.txt of Unicode 14 to 16.
RANGES = ((0xad, 0xad), (0x34f, 0x34f), (0x61c, 0x61c), (0x115f, 0x1160), (0x17b4, 0x17b5),
          (0x180b, 0x180f), (0x200b, 0x200f), (0x202a, 0x202e), (0x2060, 0x206f),
          (0x3164, 0x3164), (0xfe00, 0xfe0f), (0xfeff, 0xfeff), (0xffa0, 0xffa0),
          (0xfff0, 0xfff8), (0x1bca0, 0x1bca3), (0x1d173, 0x1d17a), (0xe0000, 0xe0fff))
ODD = '\0\a\r\n\x1b\x7f\x85\x9b\xad\u061c\u200b\u200d\u2028\u2029\u202e\u2066\ufeff\ud800\U000e0001'


@given(texts)
def test_printable(text):
    shown = printable(text)
    assert shown.isprintable() and printable(shown) == shown
    assert shown == text or not text.isprintable() or set(text) & set(map(chr, ignorable()))


def ignorable():
    return [code for first, last in RANGES for code in range(first, last + 1)]


def test_what_unicode_says_may_be_ignored_is_escaped():
    for code in ignorable():
        shown = printable(f'a{chr(code)}b')
        assert shown.isascii() and f'{code:x}b' in shown and shown[:2] == 'a\\'


def test_what_is_escaped_is_named():
    assert printable(ODD) == (
        r'\x00\x07\r\n\x1b\x7f\x85\x9b\xad\u061c\u200b\u200d\u2028\u2029\u202e\u2066\ufeff\ud800'
        r'\U000e0001')
    assert printable('a\u034fb\ufe0f') == r'a\u034fb\ufe0f'
    assert printable('Blåbær ☃ \\x1b') == 'Blåbær ☃ \\x1b'


@given(texts, texts)
def test_an_error_and_a_finding(problem, remedy):
    error, verdict = ImgurlError(problem, remedy), failed(problem, remedy)
    for text in (str(error), error.problem, error.remedy, verdict.detail, verdict.remedy):
        assert text.isprintable()
    assert (verdict.detail, verdict.remedy) == (error.problem, error.remedy)


SECRET = 'pa/ss+"w\'ord &<%é'


@pytest.mark.parametrize('write', [
    str, repr, json.dumps, lambda text: json.dumps(text, ensure_ascii=False), html.escape,
    urllib.parse.quote, urllib.parse.quote_plus, str.upper,
    lambda text: urllib.parse.quote(text, ''), lambda text: urllib.parse.quote(text, '').lower(),
    lambda text: json.dumps(text).replace('/', '\\/'),
    lambda text: html.escape(text).replace('&#x27;', '&#39;').replace('&quot;', '&#34;'),
    lambda text: text.encode().decode('latin-1'), lambda text: repr(text.encode())[1:]])
def test_a_secret_is_hidden_however_it_is_written(write):
    remember(SECRET)
    assert hide_secrets(f'it is {write(SECRET)} or so') in (
        'it is *** or so', "it is '***' or so", 'it is "***" or so')
    assert str(ImgurlError(f'It is {write(SECRET)}.')).count('***') == 1
    assert '***' in one_line(ValueError(write(SECRET)))
    assert '***' in failed(write(SECRET), '').detail


@pytest.mark.parametrize('encode', [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize('before', ['', 'a', 'ab', 'abc'])
@pytest.mark.parametrize('behind', ['', '?', '? ', '?~ '])
def test_a_secret_in_base64(encode, before, behind):
    remember(SECRET)
    shown = hide_secrets(encode(f'{before}{SECRET}{behind}'.encode()).decode())
    around = shown.split('***')
    assert len(around) == 2
    # What is left is of what is around it, but for a part of the secret's first and last bytes.
    assert all(len(left) <= 8 for left in around)


def test_a_secret_that_is_cut_off():
    long = 'Fernet' * 30
    remember(long)
    assert hide_secrets(f"'{long[:100]}' and") == "'***' and"
    assert one_line(ValueError('x' * (MAX_QUOTED - 10) + long)).endswith('xxx***')


def test_a_short_secret():
    remember('abc', 'word', 'longword')
    assert hide_secrets('abc word words longwords') == 'abc *** words ***s'


def test_a_key_of_bytes():
    remember(b'\xff\xfekey of bytes')
    for text in ('\xff\xfekey of bytes', '\ufffd\ufffdkey of bytes', '%FF%FEkey%20of%20bytes'):
        assert hide_secrets(text) == '***'


def test_so_many_secrets_are_remembered():
    for number in range(2 * MAX_SECRETS):
        remember('in use all the time', f'secret number {number}')
    shown = hide_secrets(f'in use all the time, secret number {number}, secret number 1')
    assert shown == '***, ***, secret number 1'


def test_what_is_secret_by_its_name():
    remember_in({'X-Auth-Token': 'the token', 'X-Account-Meta-Temp-Url-Key-2': b'the key!',
                 'Host': 'the host', 'http': 'http://user:the password@proxy', 'password': None,
                 'access_token_endpoint': 'http://endpoint', 'port': 5,
                 'connection_kwargs': {'password': 'of the cache'}})
    assert hide_secrets('the token, the key!, the host, the password, http://endpoint, of the cache'
                        ) == '***, ***, the host, ***, http://endpoint, ***'
    # As keystoneauth's plugins keep it.
    method = types.SimpleNamespace(passcode='of the method', user='the user')
    remember_in({'auth': types.SimpleNamespace(auth_methods=[method], token='of the plugin')})
    assert hide_secrets('of the method, the user, of the plugin') == '***, the user, ***'


def test_an_error_in_a_traceback_has_no_secret():
    remember(SECRET)
    try:
        try:
            raise KeyError(SECRET)
        except KeyError as error:
            raise ValueError(5, SECRET) from error
    except ValueError as error:
        made = ImgurlError('x')
        made.__cause__ = error
    shown = ''.join(traceback.format_exception(made))
    assert shown.count('***') == 2 and 'w\'ord' not in shown


def test_a_log_has_no_secret(caplog):
    remember('the secret')
    logger('osc_imgurl.test').warning('%s', 'the secret')
    assert caplog.messages == ['***']


@pytest.mark.parametrize(('text', 'shown'), [
    ('https://user:pw@host/x', 'https://***@host/x'),
    ('a https://u:p/w#x@h b', 'a https://***@h b'),
    ('x=redis://:pw@h,y', 'x=redis://***@h,y'), ('a@b https://h', 'a@b https://h'),
    ('https://h/a?temp_url_sig=12&x=a@b', 'https://***@b'),
    ('h?temp_url_sig=sha512:a_-=&x', 'h?temp_url_sig=***&x'),
    ("'?temp_url_sig=12'", "'?temp_url_sig=***'"), ('?TEMP_URL_SIG%3D12', '?TEMP_URL_SIG%3D***')])
def test_credentials_and_signatures_of_urls(text, shown):
    assert hide_secrets(text) == shown


def test_another_librarys_message_is_cut_off():
    assert one_line(ValueError('too\n <b>long</b>\t')) == 'too <b>long</b>'
    assert one_line(ValueError('x' * 10_000)) == 'x' * MAX_QUOTED + ' ...'
    assert one_line('x' * MAX_QUOTED) == 'x' * MAX_QUOTED
    assert one_line(ValueError()) == 'ValueError'


@pytest.mark.parametrize('module', [
    each.name for each in pkgutil.walk_packages(osc_imgurl.__path__, 'osc_imgurl.')
    if not each.name.startswith('osc_imgurl.osc')])
def test_every_log_is_printable(module, caplog):
    log = getattr(importlib.import_module(module), 'LOG', None)
    if log:
        caplog.set_level(logging.DEBUG)
        log.warning('%s and %d', ODD, 3)
        log.debug('as it is: %s', 'x')
        first, second = caplog.records
        assert first.getMessage() == f'{printable(ODD)} and 3'
        assert (second.msg, second.args) == ('as it is: %s', ('x',))


def test_a_secret_that_is_wrapped_into_lines():
    token = 'gAAAAAB' + 'x1y2z3' * 20
    remember(token)
    wrapped = '\n  '.join(token[at:at + 40] for at in range(0, len(token), 40))
    assert hide_secrets(f'You sent {wrapped}.') == 'You sent ***.'
