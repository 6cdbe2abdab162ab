# SPDX-License-Identifier: Apache-2.0
"""Temporary URLs for Glance images: the library's public names.

A name is imported when it is first used: OpenStackClient imports this package whenever it
starts.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    'container_name': 'locate.sharding',
    'diagnose': 'check.diagnosis',
    'Finding': 'check.diagnosis',
    'ImageService': 'glance.image_service',
    'ImgurlError': 'errors',
    'Key': 'tempurl.key',
    'ObjectPath': 'tempurl.url',
    'ObjectStore': 'swift.object_store',
    'Request': 'service',
    'Settings': 'settings.table',
    'Signer': 'tempurl.signing',
    'TempURL': 'tempurl.url',
    'TempURLService': 'service',
    'parse': 'tempurl.url',
    'Probe': 'swift.probe',
    'verify': 'tempurl.signing',
}

__all__ = sorted(_HOMES)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(importlib.import_module(f'{__name__}.{_HOMES[name]}'), name)
