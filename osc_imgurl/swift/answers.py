# SPDX-License-Identifier: Apache-2.0
"""Which answers are an object store's, and which of them are good."""

from __future__ import annotations

import re
import reprlib
import urllib.parse
from collections.abc import Mapping

import requests

from osc_imgurl.errors import ObjectStoreFailed, ObjectStoreNotAuthorized, one_line

# By these headers an answer of Swift or a RADOS Gateway is known. A proxy in between may take the
# first away.
KNOWN_BY = ('X-Trans-Id', 'X-Account-Container-Count', 'X-Container-Object-Count')
CORRECT = 'Correct the endpoint of the object store, or tell its operator.'


def md5_of(headers: Mapping[str, str]) -> str | None:
    """Return the MD5 of an object's data, in hex, by its ETag; None where that says something else.

    The ETag of a large object is of its manifest.
    """
    if 'X-Object-Manifest' in headers or 'X-Static-Large-Object' in headers:
        return None
    found = re.fullmatch('(?:W/)?"?([0-9a-f]{32})"?', headers.get('ETag', '').strip(),
                         re.IGNORECASE)
    return found[1].lower() if found else None


def require_object_store(response: requests.Response) -> None:
    """Accept an answer that an object store gives: another server's 200 says nothing of keys.

    :raises ObjectStoreFailed: something else answers.
    """
    if not any(name in response.headers for name in KNOWN_BY):
        raise ObjectStoreFailed(
            f'What answers at {response.url} is not an object store'
            f' (HTTP {response.status_code}, without X-Trans-Id).', CORRECT)


def require_authorized(response: requests.Response) -> None:
    """Accept an answer that is not about who may.

    :raises ObjectStoreNotAuthorized: these credentials may not.
    """
    if response.status_code in (401, 403):
        reads = response.request.method in ('GET', 'HEAD')
        does = 'show' if reads else 'let'
        to = 'to these credentials' if reads else 'be changed with these credentials'
        raise ObjectStoreNotAuthorized(
            f'Swift does not {does} {urllib.parse.urlsplit(response.url).path} {to}'
            f' (HTTP {response.status_code}).')


def require_success(response: requests.Response) -> None:
    """Accept an answer that says that all went well.

    :raises ObjectStoreFailed: it does not.
    """
    if not 200 <= response.status_code < 300:
        parts = urllib.parse.urlsplit(response.url)
        # What is wrong with a request, Swift says in words, such as "X-Delete-At in past".
        plain = response.headers.get('Content-Type', '').startswith('text/plain')
        said = (f', {reprlib.repr(one_line(response.text))}'
                if response.status_code == 400 and plain and response.text else '')
        raise ObjectStoreFailed(
            f'The object store at {parts.scheme}://{parts.netloc} answers HTTP'
            f' {response.status_code} to {response.request.method} {parts.path}{said}'
            f' (transaction {response.headers.get("X-Trans-Id", "unknown")}).')
