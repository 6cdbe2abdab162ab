# SPDX-License-Identifier: Apache-2.0
"""Ironic: what a node's ``instance_info`` says of its image, as JSON.

The fields are those of Ironic's user guide ("Deploying with Bare Metal service", "Populating
instance_info") and of what its ``direct`` deploy interface validates
(``ironic.drivers.modules.agent``). A hash is required; MD5 is refused by default.
"""

from __future__ import annotations

import json

from osc_imgurl.errors import ImageUnacceptable
from osc_imgurl.export import Consumer, Handover

# Those of Ironic's option permitted_image_formats that Glance has too. It finds out others.
FORMATS = ('raw', 'qcow2', 'iso')
# A partition image that boots with a kernel and a ramdisk may be an Amazon machine image.
CONTAINERS = ('bare', 'ami', None)
HASHES = ('sha256', 'sha384', 'sha512')


def _write(handover: Handover) -> str:
    image = handover.image
    if image.container_format not in CONTAINERS:
        raise ImageUnacceptable(
            f'Image {image.id} has the container format {image.container_format}, and Ironic cannot'
            ' take a disk out of that.', 'Hand over a bare image.')
    algorithm, value = handover.hash(HASHES)
    info = {'image_source': handover.urls['image'], 'image_os_hash_algo': algorithm,
            'image_os_hash_value': value}
    if image.disk_format in FORMATS:
        info['image_disk_format'] = image.disk_format
    boot = {role: url for role, url in handover.urls.items() if role != 'image'}
    return json.dumps(info | boot, indent=4) + '\n'


CONSUMER = Consumer(_write, roles=('image', 'kernel', 'ramdisk'))
