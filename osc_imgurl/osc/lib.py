# SPDX-License-Identifier: Apache-2.0
"""The library's modules as attributes, each imported when a command first uses it.

OpenStackClient imports the modules of all commands of all plugins whenever it starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osc_imgurl import batch as batch
    from osc_imgurl import client as client
    from osc_imgurl import errors as errors
    from osc_imgurl import export as export
    from osc_imgurl import http as http
    from osc_imgurl.copies import copy as copy
    from osc_imgurl.glance import image as image
    from osc_imgurl.links import link as link
    from osc_imgurl.links import link_container as link_container
    from osc_imgurl.osc import common as common
    from osc_imgurl.osc import output as output
    from osc_imgurl.osc import words as words
    from osc_imgurl.settings import secret_file as secret_file
    from osc_imgurl.settings import sources as sources
    from osc_imgurl.settings import table as table
    from osc_imgurl.settings import values as values
    from osc_imgurl.swift import answers as answers
    from osc_imgurl.swift import key_slots as key_slots
    from osc_imgurl.target import report as report
    from osc_imgurl.target import resolve as resolve
    from osc_imgurl.tempurl import explain as explain
    from osc_imgurl.tempurl import options as options
    from osc_imgurl.tempurl import signing as signing
    from osc_imgurl.tempurl import url as url
else:
    import importlib

    _HOMES = {path.rpartition('.')[2]: path for path in (
        'batch', 'client', 'errors', 'export', 'http', 'copies.copy', 'glance.image', 'links.link',
        'links.link_container', 'osc.common', 'osc.output', 'osc.words', 'settings.secret_file',
        'settings.sources', 'settings.table', 'settings.values', 'swift.answers',
        'swift.key_slots', 'target.report', 'target.resolve', 'tempurl.explain',
        'tempurl.options', 'tempurl.signing', 'tempurl.url')}

    def __getattr__(name):
        if name not in _HOMES:
            raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
        return importlib.import_module(f'osc_imgurl.{_HOMES[name]}')
