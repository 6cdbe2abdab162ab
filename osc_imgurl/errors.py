# SPDX-License-Identifier: Apache-2.0
"""The library's errors. Each message is one line: what is wrong, and what to do.

Errors and logs may quote untrusted users, servers or other libraries: :func:`sanitize` makes every
message printable and hides our secrets.
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
from typing import Self

# Remedies other than a setting or a URL option: see :func:`advice`.
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

# Characters to quote of another library's message. It may contain a whole page from a server.
MAX_QUOTED = 300
# Characters to read of such a page.
MAX_READ = 20_000
# Replaces a secret.
HIDDEN = '***'
# Secrets of this length are hidden everywhere, shorter ones as whole words only. Those below
# MIN_WORD are not hidden: most texts contain them by chance.
MIN_SECRET = 8
MIN_WORD = 4
# A secret cut off after this length is hidden, too.
HEAD = 24
# A quick look for the beginning of a secret comes before the whole pattern.
BEGINNING = 6
# A process needs a few secrets. With more than this, it forgets the oldest.
MAX_SECRETS = 256

_SECRET_NAME = re.compile(
    r'(?:password|passcode|passphrase|secret|token|authorization|cookie|verifier|assertion'
    r'|temp-url-key(?:-2)?)$', re.IGNORECASE)
# Names of values with secrets inside, in keystoneauth plugins and a cache's arguments.
_PART = re.compile('auth|auth_methods|auth_ref|_plugin|.*_kwargs')
_SIGNATURE = re.compile(r'(temp_url_sig(?:=|%3D))[^&\s\'"]*', re.IGNORECASE)
# Invisible in terminals, although printable for Python: the Unicode property
# Default_Ignorable_Code_Point (DerivedCoreProperties.txt).
_IGNORABLE = re.compile('[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0'
                        '\U000e0100-\U000e01ef]')
# Spellings of a secret in other programs' texts.
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
    """Return a text as one line, harmless to terminals, logs and readers.

    This escapes the same characters as Python's ``repr`` (:meth:`str.isprintable`): control
    characters, changes of direction, characters without width, separators but the space, and lone
    surrogates; also Unicode's ignorable characters. Backslashes stay as they are: escaping twice
    changes nothing.

    >>> print(printable('two\\nlines \\x1b[31m \\u202egnp.exe'))
    two\\nlines \\x1b[31m \\u202egnp.exe
    """
    if text.isprintable() and not _IGNORABLE.search(text):
        return text
    return ''.join(
        char if char.isprintable() and not _IGNORABLE.match(char)
        else char.encode('unicode_escape').decode() for char in text)


def remember(*secrets: str | bytes | None) -> None:
    """Make :func:`hide_secrets` hide these from now on, in the whole process."""
    for secret in secrets:
        if not secret:
            continue
        value = secret.encode(errors='surrogateescape') if isinstance(secret, str) else secret
        with _lock:
            # Move a known secret to the end: the process forgets the first.
            _secrets.pop(value, None)
            _secrets[value] = None
            if len(_secrets) > MAX_SECRETS:
                del _secrets[next(iter(_secrets))]


def remember_in(values: Mapping[str, object]) -> None:
    """Remember values with a secret's name, and passwords in URLs.

    :param values: by name: a request's headers, arguments, or an object's attributes.
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
    """Return a text without this process's secrets, in all usual spellings.

    Secrets are the arguments of :func:`remember`, signatures of temporary URLs, and everything
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
    """Return a text for a message or a log: printable, and without our secrets."""
    return printable(hide_secrets(text))


@functools.lru_cache(MAX_SECRETS)
def _beginning(secret: bytes) -> re.Pattern[str]:
    """Return a pattern for the beginning of a secret; it compiles faster than :func:`_pattern`."""
    beginnings = {_wrapped(text[:BEGINNING]) for text in _written(secret)}
    return re.compile('|'.join(beginnings), re.IGNORECASE)


@functools.lru_cache(MAX_SECRETS)
def _pattern(secret: bytes) -> re.Pattern[str]:
    """Return a pattern for all spellings of a secret."""
    written = _written(secret)
    # Other programs may wrap a long one into lines.
    whole = (_wrapped(text) if len(text) >= HEAD else re.escape(text)
             for text in sorted(written, key=len, reverse=True))
    # Whole secrets come first: the rest may be cut off.
    heads = {rf'{re.escape(text[:HEAD])}[\w.~+/=%-]*' for text in written if text[HEAD:]}
    pattern = '|'.join((*whole, *heads))
    if len(secret) < MIN_SECRET:
        pattern = rf'(?<!\w)(?:{pattern})(?!\w)'
    return re.compile(pattern, re.IGNORECASE)


def _written(secret: bytes) -> set[str]:
    """Return all spellings of a secret."""
    plain = {secret.decode(errors=errors) for errors in ('surrogateescape', 'replace')}
    return {write(text) for text in (*plain, secret.decode('latin-1'), *_base64(secret))
            for write in _WRITTEN}


def _wrapped(text: str) -> str:
    """Return a pattern for a text with or without line breaks in it."""
    return r'\s{0,3}'.join(map(re.escape, text))


def _base64(secret: bytes) -> Iterator[str]:
    """Yield a secret's part in the base64 of a longer text, such as ``user:password``."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + secret).decode()
        # The first and the last character depend on the text around it: drop them.
        whole = encoded[-(-before * 8 // 6):(before + len(secret)) * 8 // 6]
        yield from {whole, whole.translate(str.maketrans('+/', '-_'))}


def _user_info(url: str) -> tuple[str, str, str]:
    """Split a URL before and after its credentials."""
    scheme, found, rest = url.partition('://')
    credentials, at, host = rest.rpartition('@')
    return (f'{scheme}{found}', credentials, f'{at}{host}')


def _without_user(word: re.Match[str]) -> str:
    before, credentials, behind = _user_info(word[0])
    return f'{before}{HIDDEN}{behind}' if credentials else word[0]


def logger(name: str) -> logging.Logger:
    """Return a module's logger; it sanitizes messages before any handler gets them."""
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
    """Return a remedy with the names of settings and commands in it.

    >>> advice('Use a longer duration.', ['duration'])
    'Use a longer duration (duration).'

    :param names: settings, URL options, and other remedies.
    :param call: returns the user's name for each, such as an option of a command line.
    """
    if not names:
        return remedy
    return f'{remedy.removesuffix(".")} ({", ".join(map(call, names))}).'


class ImgurlError(Exception):
    """The base of the library's errors.

    It hides our secrets in its causes, too, because tracebacks show them.

    :ivar problem: what is wrong; sanitized, like the remedy.
    :ivar remedy: what to do; empty if the problem says it, or nothing helps.
    :ivar names: settings and commands of the remedy: see :func:`advice`.
    """

    def __init__(self, problem: str, remedy: str = '', *names: str) -> None:
        self.problem = sanitize(problem)
        self.remedy = sanitize(remedy)
        self.names = names
        _hide_in(sys.exc_info()[1])
        super().__init__(self.message())

    def with_problem(self, problem: str) -> Self:
        """Return the same error with another problem."""
        return type(self)(problem, self.remedy, *self.names)

    def message(self, call: Callable[[str], str] = str) -> str:
        """Return problem and remedy, as one line.

        :param call: as for :func:`advice`.
        """
        return ' '.join(filter(None, (self.problem, advice(self.remedy, self.names, call))))


class MissingParameterValue(ImgurlError):
    """A required value is neither given nor found."""


class InvalidParameterValue(ImgurlError):
    """A given value is invalid."""


class ImageNotFound(ImgurlError):
    """No image has the given UUID or name."""


class ImageNotUnique(ImgurlError):
    """More than one image has the given name."""


class ImageNotAuthorized(ImgurlError):
    """Glance refuses these credentials."""


class ImageUnacceptable(ImgurlError):
    """The image exists, but cannot have a temporary URL."""


class UntrustedLocation(ImageUnacceptable):
    """The image's location may be an untrusted user's, and name another image's object."""


class ImageDownloadFailed(ImgurlError):
    """The image's data cannot be read, or does not match its hash."""


class GlanceFailed(ImgurlError):
    """Glance could not be reached, or answered with an error."""


class ObjectStoreFailed(ImgurlError):
    """Swift could not be reached, or answered with an error."""


class ObjectStoreNotAuthorized(ObjectStoreFailed):
    """Swift refuses these credentials."""


class OutcomeUnknown(ObjectStoreFailed):
    """Swift's answer is lost: the change may have happened or not."""


class ObjectStoreFull(ObjectStoreFailed):
    """A quota is used up, or a disk is full."""


class ObjectMismatch(ImgurlError):
    """The object at an image's path does not have the image's data."""


class TempURLRefused(ImgurlError):
    """Swift refuses a new temporary URL."""


class CacheFailed(ImgurlError):
    """The cache cannot be used."""


def one_line(error: Exception | str) -> str:
    """Return another program's message as one line, cut off after :data:`MAX_QUOTED`."""
    text = ' '.join(hide_secrets(str(error)[:MAX_READ]).split()) or type(error).__name__
    return text if len(text) <= MAX_QUOTED else f'{text[:MAX_QUOTED]} ...'


def _hide_in(error: BaseException | None) -> None:
    """Hide our secrets in an error and its causes."""
    seen: list[BaseException] = []
    while error and error not in seen:
        seen.append(error)
        error.args = tuple(map(_hidden, error.args))
        vars(error).update({name: _hidden(value) for name, value in vars(error).items()})
        error = error.__cause__ or error.__context__


def _hidden(value: object) -> object:
    return hide_secrets(value) if isinstance(value, str) else value
