# SPDX-License-Identifier: Apache-2.0
"""cloud-init: user data that includes what is in the images, by their URLs, a line each.

The form is that of ``_do_include`` in cloud-init's ``cloudinit/user_data.py``. With ``#include`` a
machine would ask again at each boot, and fail once the URL has expired; with ``#include-once`` it
keeps the answer. There is no hash: cloud-init verifies nothing.
"""

from __future__ import annotations

from osc_imgurl.export import Consumer, Handover


def _write(*handovers: Handover) -> str:
    for handover in handovers:
        handover.disk_format({'raw': 'raw'})
    return '\n'.join(['#include-once', *(each.urls['image'] for each in handovers), ''])


CONSUMER = Consumer(_write, '.txt', several=True)
