# SPDX-License-Identifier: Apache-2.0
"""Ignition: a configuration that points to the one in the image, and has its hash, as JSON.

The fields are those of Ignition's configuration specification 3.1.0
(``docs/configuration-v3_1.md`` of coreos/ignition): ``ignition.config.replace`` with ``source`` and
``verification.hash``, ``<algorithm>-<hex>``. Later versions accept it too.
"""

from __future__ import annotations

import json

from osc_imgurl.export import Consumer, Handover

# Of the specification: the first with SHA-256.
VERSION = '3.1.0'
HASHES = ('sha256', 'sha512')


def _write(handover: Handover) -> str:
    handover.disk_format({'raw': 'raw'})
    source = {'source': handover.urls['image'],
              'verification': {'hash': '-'.join(handover.hash(HASHES))}}
    return json.dumps({'ignition': {'version': VERSION, 'config': {'replace': source}}},
                      indent=4) + '\n'


CONSUMER = Consumer(_write, '.ign')
