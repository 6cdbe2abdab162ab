# SPDX-License-Identifier: Apache-2.0
"""The digests of a signature, and the forms that it has in a URL."""

from __future__ import annotations

import base64
import hashlib

from osc_imgurl.errors import InvalidParameterValue

DIGESTS = ('sha1', 'sha256', 'sha512')
_DIGEST_OF_HEX_LENGTH = {40: 'sha1', 64: 'sha256', 128: 'sha512'}


def decode_signature(signature: str) -> tuple[str, bytes]:
    """Return digest and bytes of a signature, by the rules of ``swift.common.digest``.

    Base64 is standard or URL-safe but not both, with as much padding as one likes. Hex is
    compared as text, so that capitals are wrong.

    :raises InvalidParameterValue: it is no signature.
    """
    digest, colon, encoded = signature.partition(':')
    try:
        if colon:
            encoded = encoded.strip('=')
            if not set(encoded) & {'+', '/'}:
                encoded = encoded.replace('-', '+').replace('_', '/')
            value = base64.b64decode(encoded + '=' * (-len(encoded) % 4), validate=True)
        else:
            digest, value = _DIGEST_OF_HEX_LENGTH[len(signature)], bytes.fromhex(signature)
            if signature != signature.lower():
                raise InvalidParameterValue(
                    'This is not a temporary URL: its temp_url_sig has capitals, and Swift takes'
                    ' small letters only.')
        if len(value) != hashlib.new(digest).digest_size or digest not in DIGESTS:
            raise ValueError
    except (KeyError, ValueError):
        raise InvalidParameterValue(
            'This is not a temporary URL: its temp_url_sig is no signature.') from None
    return digest, value
