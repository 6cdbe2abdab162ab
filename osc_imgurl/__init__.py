# SPDX-License-Identifier: Apache-2.0
"""Temporary URLs for Glance images: the library's public names.

A name is imported when it is first used: OpenStackClient imports this package whenever it
starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osc_imgurl.check.diagnosis import diagnose
    from osc_imgurl.check.finding import Finding
    from osc_imgurl.errors import ImgurlError
    from osc_imgurl.glance.image_service import ImageService
    from osc_imgurl.service import TempURLService
    from osc_imgurl.settings.table import Settings
    from osc_imgurl.swift.object_store import ObjectStore
    from osc_imgurl.swift.probe import Probe
    from osc_imgurl.target.cloud import Cloud
    from osc_imgurl.target.sharding import container_name
    from osc_imgurl.tempurl.options import URLOptions
    from osc_imgurl.tempurl.signing import Key, Parameters, sign, verify
    from osc_imgurl.tempurl.url import ObjectPath, TempURL, parse
else:
    _ROOMS = {
        'check.diagnosis': ('diagnose',),
        'check.finding': ('Finding',),
        'errors': ('ImgurlError',),
        'glance.image_service': ('ImageService',),
        'target.cloud': ('Cloud',),
        'target.sharding': ('container_name',),
        'service': ('TempURLService',),
        'settings.table': ('Settings',),
        'swift.object_store': ('ObjectStore',),
        'swift.probe': ('Probe',),
        'tempurl.options': ('URLOptions',),
        'tempurl.signing': ('Key', 'Parameters', 'sign', 'verify'),
        'tempurl.url': ('ObjectPath', 'TempURL', 'parse'),
    }
    _HOMES = {name: module for module, names in _ROOMS.items() for name in names}

    def __getattr__(name):
        import importlib

        if name not in _HOMES:
            raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
        return getattr(importlib.import_module(f'{__name__}.{_HOMES[name]}'), name)

__all__ = [
    'Cloud', 'Finding', 'ImageService', 'ImgurlError', 'Key', 'ObjectPath', 'ObjectStore',
    'Parameters', 'Probe', 'Settings', 'TempURL', 'TempURLService', 'URLOptions', 'container_name',
    'diagnose', 'parse', 'sign', 'verify',
]
