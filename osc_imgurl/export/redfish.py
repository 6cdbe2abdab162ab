# SPDX-License-Identifier: Apache-2.0
"""Redfish: the body of ``VirtualMedia.InsertMedia``, as JSON.

The fields are those of ``InsertMediaRequestBody`` in DMTF's schema ``VirtualMedia`` (DSP8010), and
no more than each BMC knows: Ironic's library sushy sends the same three first. Some BMCs accept
only a URL that ends in ``.iso``; so the file name stands at its end.
"""

from __future__ import annotations

import json

from osc_imgurl.export import Consumer, Handover


def _write(handover: Handover) -> str:
    handover.disk_format({'iso': 'iso'})
    return json.dumps({'Image': handover.urls['image'], 'Inserted': True, 'WriteProtected': True},
                      indent=4) + '\n'


CONSUMER = Consumer(_write, '.json', ends_in_file_name=True)
