# SPDX-License-Identifier: Apache-2.0
"""Whom one cloud lets us ask."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osc_imgurl.glance.image_service import ImageService
    from osc_imgurl.swift.object_store import ObjectStore
    from osc_imgurl.swift.probe import Probe


@dataclasses.dataclass(frozen=True)
class Cloud:
    """Who can be asked about the images and URLs of one cloud.

    :ivar images: Glance; None where there is nobody to ask (no session).
    :ivar object_store: Swift; likewise.
    :ivar probe: makes unauthenticated requests; None where a URL is never tried.
    """

    images: ImageService | None = None
    object_store: ObjectStore | None = None
    probe: Probe | None = None


UNAUTHENTICATED = Cloud()
