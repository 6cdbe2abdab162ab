# SPDX-License-Identifier: Apache-2.0
"""The errors of this library. Each message is one line: what is wrong, and what to do.

A message, here and in a log, may quote what an untrusted user, a server or another library wrote:
:func:`sanitize` has gone over it.
"""

from __future__ import annotations

import base64
import functools
import html
import json
import logging
import re
import sys
import threading
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence

# What a user can do, beside giving a setting or a part of a request: see :func:`advice`.
SET_KEY = 'set a key'
SET_GIVEN_KEY = 'set the given key'
ROTATE_KEY = 'rotate the key'
FINISH_ROTATION = 'finish the rotation'
LIST_KEYS = 'list the keys'
ACTIVATE_IMAGE = 'activate the image'
COPY_IMAGE = 'copy the image to another store'
SAVE_IMAGE = 'download the image with a token'
CREATE_URL = 'create a URL'
DELETE_COPIES = 'delete copies'
FORCE = 'force'
TRUSTED_AUTHORITY = 'cacert'
CLIENT_CERTIFICATE = 'cert and key'

# Of another library's message, in characters: a server may have written a whole page.
MAX_QUOTED = 300
# Of such a page so much is read.
MAX_READ = 20_000
# What stands for a secret.
HIDDEN = '***'
# A secret is replaced wherever it stands, a shorter one as a whole word only, and one shorter than
# that not at all: most texts hold it by chance.
MIN_SECRET = 8
MIN_WORD = 4
# So much of the beginning of a secret is replaced where the text cuts the secret off.
HEAD = 24
# A text without so much of its beginning does not hold a secret: the whole pattern is not needed.
BEGINNING = 6
# How many secrets are remembered. A process needs a few; one that has had more forgets the oldest.
MAX_SECRETS = 256

_SECRET_NAME = re.compile(
    r'(?:password|passcode|passphrase|secret|token|authorization|cookie|verifier|assertion'
    r'|temp-url-key(?:-2)?)$', re.IGNORECASE)
# What holds more of them, of a keystoneauth plugin and of the arguments of a cache.
_PART = re.compile('auth|auth_methods|auth_ref|_plugin|.*_kwargs')
_SIGNATURE = re.compile(r'(temp_url_sig(?:=|%3D))[^&\s\'"]*', re.IGNORECASE)
# What no terminal shows, of the characters that Python calls printable: those of the Unicode
# property Default_Ignorable_Code_Point (DerivedCoreProperties.txt).
_IGNORABLE = re.compile('[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0'
                        '\U000e0100-\U000e01ef]')
# How texts of other programs write a secret.
_WRITTEN: tuple[Callable[[str], str], ...] = (
    str,
    lambda text: urllib.parse.quote(text, errors='surrogateescape'),
    lambda text: urllib.parse.quote(text, '', errors='surrogateescape'),
    lambda text: urllib.parse.quote_plus(text, errors='surrogateescape'),
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text)[1:-1].replace('/', r'\/'),
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    lambda text: repr(text)[1:-1],
    lambda text: repr(text.encode(errors='surrogateescape'))[2:-1],
    html.escape,
    lambda text: html.escape(text, quote=False),
    lambda text: html.escape(text).replace('&quot;', '&#34;').replace('&#x27;', '&#39;'))
_secrets: dict[bytes, None] = {}
_lock = threading.Lock()


def printable(text: str) -> str:
    """Return a text as it can be shown: one line that does nothing to a terminal, log or reader.

    Escaped is what Python's ``repr`` escapes (:meth:`str.isprintable`): control characters, those
    that turn the direction of writing or have no width, separators but the space, and lone
    surrogates; and what Unicode says may be ignored. Backslashes are left alone, so that a text
    may go through here twice.

    >>> print(printable('two\\nlines \\x1b[31m \\u202egnp.exe'))
    two\\nlines \\x1b[31m \\u202egnp.exe
    """
    if text.isprintable() and not _IGNORABLE.search(text):
        return text
    return ''.join(
        char if char.isprintable() and not _IGNORABLE.match(char)
        else char.encode('unicode_escape').decode() for char in text)


def remember(*secrets: str | bytes | None) -> None:
    """Have :func:`hide_secrets` replace these, from now on and in the whole process."""
    for secret in secrets:
        if not secret:
            continue
        value = secret.encode(errors='surrogateescape') if isinstance(secret, str) else secret
        with _lock:
            # The one that was used last is forgotten last.
            _secrets.pop(value, None)
            _secrets[value] = None
            if len(_secrets) > MAX_SECRETS:
                del _secrets[next(iter(_secrets))]


def remember_in(values: Mapping[str, object]) -> None:
    """Remember what is secret by its name, and the passwords in URLs.

    :param values: by name: the headers of a request, arguments, or what an object has.
    """
    for name, value in values.items():
        if isinstance(value, (str, bytes)):
            if _SECRET_NAME.search(name):
                remember(value)
            elif isinstance(value, str):
                remember(_user_info(value)[1].partition(':')[2])
        elif _PART.fullmatch(name):
            for part in value if isinstance(value, list) else [value]:
                remember_in(part if isinstance(part, Mapping) else getattr(part, '__dict__', {}))


def hide_secrets(text: str, *others: str) -> str:
    """Return a text without the secrets of this process, however it quotes them.

    These are what :func:`remember` was told, signatures of temporary URLs, and all that stands
    before the ``@`` of a URL.

    >>> hide_secrets('https://user:secret@swift.example.com/v1?temp_url_sig=5f0c')
    'https://***@swift.example.com/v1?temp_url_sig=***'

    :param others: more secrets, for this text only.
    """
    for secret in sorted({*list(_secrets), *(other.encode() for other in others)}, key=len,
                         reverse=True):
        if len(secret) >= MIN_WORD and _beginning(secret).search(text):
            text = _pattern(secret).sub(HIDDEN, text)
    text = _SIGNATURE.sub(rf'\1{HIDDEN}', text)
    return re.sub(r'\S+', _without_user, text) if '://' in text and '@' in text else text


def sanitize(text: str) -> str:
    """Return a text as a message or a log quotes it: printable, and without our secrets."""
    return printable(hide_secrets(text))


@functools.lru_cache(MAX_SECRETS)
def _beginning(secret: bytes) -> re.Pattern[str]:
    """Return what matches wherever :func:`_pattern` does, and is compiled sooner."""
    beginnings = {_wrapped(text[:BEGINNING]) for text in _written(secret)}
    return re.compile('|'.join(beginnings), re.IGNORECASE)


@functools.lru_cache(MAX_SECRETS)
def _pattern(secret: bytes) -> re.Pattern[str]:
    """Return what matches a secret as other programs may write it."""
    written = _written(secret)
    # A long one may be wrapped into lines.
    whole = (_wrapped(text) if len(text) >= HEAD else re.escape(text)
             for text in sorted(written, key=len, reverse=True))
    # Only what is none of these whole is cut off.
    heads = {rf'{re.escape(text[:HEAD])}[\w.~+/=%-]*' for text in written if text[HEAD:]}
    pattern = '|'.join((*whole, *heads))
    if len(secret) < MIN_SECRET:
        pattern = rf'(?<!\w)(?:{pattern})(?!\w)'
    return re.compile(pattern, re.IGNORECASE)


def _written(secret: bytes) -> set[str]:
    """Return the texts that other programs may make of a secret."""
    plain = {secret.decode(errors=errors) for errors in ('surrogateescape', 'replace')}
    return {write(text) for text in (*plain, secret.decode('latin-1'), *_base64(secret))
            for write in _WRITTEN}


def _wrapped(text: str) -> str:
    """Return a pattern of a text that may be wrapped into lines."""
    return r'\s{0,3}'.join(map(re.escape, text))


def _base64(secret: bytes) -> Iterator[str]:
    """Yield a secret as it stands in the base64 of a longer text, such as ``user:password``."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + secret).decode()
        # The first and the last character depend on what is around it too.
        whole = encoded[-(-before * 8 // 6):(before + len(secret)) * 8 // 6]
        yield from {whole, whole.translate(str.maketrans('+/', '-_'))}


def _user_info(url: str) -> tuple[str, str, str]:
    """Return what stands before, in and behind the credentials of a URL."""
    scheme, found, rest = url.partition('://')
    credentials, at, host = rest.rpartition('@')
    return (f'{scheme}{found}', credentials, f'{at}{host}')


def _without_user(word: re.Match[str]) -> str:
    before, credentials, behind = _user_info(word[0])
    return f'{before}{HIDDEN}{behind}' if credentials else word[0]


def logger(name: str) -> logging.Logger:
    """Return a module's logger, whose messages are sanitized whoever takes them up."""
    log = logging.getLogger(name)
    log.addFilter(_sanitize)
    return log


def rewrite(record: logging.LogRecord, change: Callable[[str], str]) -> None:
    """Change the message of a log record."""
    message = record.getMessage()
    changed = change(message)
    if changed != message:
        record.msg, record.args = changed, ()


def _sanitize(record: logging.LogRecord) -> bool:
    rewrite(record, sanitize)
    return True


def advice(remedy: str, names: Sequence[str], call: Callable[[str], str] = str) -> str:
    """Return a remedy that says what it is about.

    >>> advice('Use a longer duration.', ['duration'])
    'Use a longer duration (duration).'

    :param names: of settings, of parts of a request, or of what else a user can do.
    :param call: what a user calls each of them, such as an option of a command line.
    """
    if not names:
        return remedy
    return f'{remedy.removesuffix(".")} ({", ".join(map(call, names))}).'


class ImgurlError(Exception):
    """The base of every error that this library raises itself.

    An error that it comes of is in its traceback, and loses our secrets too.

    :ivar problem: what is wrong; sanitized, as the remedy is.
    :ivar remedy: what to do; empty where the problem says it, or nothing helps.
    :ivar names: what the remedy is about: see :func:`advice`.
    """

    def __init__(self, problem: str, remedy: str = '', *names: str) -> None:
        self.problem = sanitize(problem)
        self.remedy = sanitize(remedy)
        self.names = names
        _hide_in(sys.exc_info()[1])
        super().__init__(self.message())

    def message(self, call: Callable[[str], str] = str) -> str:
        """Return problem and remedy, as one line.

        :param call: as for :func:`advice`.
        """
        return ' '.join(filter(None, (self.problem, advice(self.remedy, self.names, call))))


class MissingParameterValue(ImgurlError):
    """A value is needed, is not given and could not be looked up either."""


class InvalidParameterValue(ImgurlError):
    """A value is given and is not one that can be used."""


class ImageNotFound(ImgurlError):
    """No image has the given UUID or name."""


class ImageNotUnique(ImgurlError):
    """More than one image has the given name."""


class ImageNotAuthorized(ImgurlError):
    """Glance does not let these credentials do what was asked."""


class ImageUnacceptable(ImgurlError):
    """The image exists, and no temporary URL can be made for it as it is."""


class UntrustedLocation(ImageUnacceptable):
    """Whoever wrote the image's location may have meant another object than the image's."""


class ImageDownloadFailed(ImgurlError):
    """The image's data could not be read, or is not what its hash says."""


class GlanceFailed(ImgurlError):
    """Glance could not be reached, or answered with an error."""


class ObjectStoreFailed(ImgurlError):
    """Swift could not be reached, or answered with an error."""


class ObjectStoreNotAuthorized(ObjectStoreFailed):
    """Swift does not show these credentials the account or container."""


class OutcomeUnknown(ObjectStoreFailed):
    """Swift may have done what it was asked for, and may not: its answer is lost."""


class ObjectStoreFull(ObjectStoreFailed):
    """A quota, or a disk, has no room for what is to be written."""


class ObjectMismatch(ImgurlError):
    """The object where an image should be holds other data than the image's."""


class TempURLRefused(ImgurlError):
    """Swift refuses a temporary URL that has just been made."""


class CacheFailed(ImgurlError):
    """The cache cannot be used."""


def one_line(error: Exception | str) -> str:
    """Return another program's message as one line, cut off after :data:`MAX_QUOTED`."""
    text = ' '.join(hide_secrets(str(error)[:MAX_READ]).split()) or type(error).__name__
    return text if len(text) <= MAX_QUOTED else f'{text[:MAX_QUOTED]} ...'


def _hide_in(error: BaseException | None) -> None:
    """Take our secrets out of an error, and out of those that it comes of."""
    seen: list[BaseException] = []
    while error and error not in seen:
        seen.append(error)
        error.args = tuple(map(_hidden, error.args))
        vars(error).update({name: _hidden(value) for name, value in vars(error).items()})
        error = error.__cause__ or error.__context__


def _hidden(value: object) -> object:
    return hide_secrets(value) if isinstance(value, str) else value
