# SPDX-License-Identifier: Apache-2.0
"""Temporary URLs for Glance images: the library's public names.

A name is imported when it is first used: OpenStackClient imports this package whenever it
starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osc_imgurl.check.facts import Report
    from osc_imgurl.client import Client
    from osc_imgurl.create import ImageTempURL
    from osc_imgurl.errors import ImgurlError
    from osc_imgurl.glance.image_service import ImageService
    from osc_imgurl.glance.location import container_name
    from osc_imgurl.settings.table import Settings
    from osc_imgurl.tempurl.options import URLOptions
    from osc_imgurl.tempurl.signing import Key, Parameters, sign, verify
    from osc_imgurl.tempurl.url import ObjectPath, TempURL, parse
else:
    _MODULES = {
        'check.facts': ('Report',),
        'client': ('Client',),
        'create': ('ImageTempURL',),
        'errors': ('ImgurlError',),
        'glance.image_service': ('ImageService',),
        'glance.location': ('container_name',),
        'settings.table': ('Settings',),
        'tempurl.options': ('URLOptions',),
        'tempurl.signing': ('Key', 'Parameters', 'sign', 'verify'),
        'tempurl.url': ('ObjectPath', 'TempURL', 'parse'),
    }
    _HOMES = {name: module for module, names in _MODULES.items() for name in names}

    def __getattr__(name):
        import importlib

        if name not in _HOMES:
            raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
        return getattr(importlib.import_module(f'{__name__}.{_HOMES[name]}'), name)

__all__ = [
    'Client', 'ImageService', 'ImageTempURL', 'ImgurlError', 'Key', 'ObjectPath', 'Parameters',
    'Report', 'Settings', 'TempURL', 'URLOptions', 'container_name', 'parse', 'sign', 'verify',
]
