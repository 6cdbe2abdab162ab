# SPDX-License-Identifier: Apache-2.0
"""What the URLs of many objects have in common."""

from __future__ import annotations

import dataclasses

from osc_imgurl.tempurl.key import Key
from osc_imgurl.tempurl.request import Request
from osc_imgurl.tempurl.signing import Signer
from osc_imgurl.tempurl.url import ObjectPath, TempURL


@dataclasses.dataclass(frozen=True)
class Shape:
    """All that shapes a URL but the object.

    :ivar expires: Unix time, seconds.
    """

    endpoint: str
    container_path: str
    key: Key
    digest: str
    method: str
    expires: int
    request: Request

    def sign(self, path: ObjectPath) -> TempURL:
        """Return the URL of an object."""
        return Signer(self.key.value, self.digest).sign(
            self.endpoint, path, self.expires, self.request)
