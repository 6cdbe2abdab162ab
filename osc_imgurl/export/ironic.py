# SPDX-License-Identifier: Apache-2.0
"""Ironic: the image's fields of a node's ``instance_info``, as JSON or as commands that set them.

The fields follow Ironic's user guide ("Deploying with Bare Metal service", "Populating
instance_info") and the validation of its ``direct`` deploy interface
(``ironic.drivers.modules.agent``). A hash is required; MD5 is refused by default.
"""

from __future__ import annotations

import json
import re
import shlex

from osc_imgurl.errors import ImageUnacceptable
from osc_imgurl.export import Consumer, Handover

# Formats of both Ironic (permitted_image_formats) and Glance. Ironic detects others.
FORMATS = ('raw', 'qcow2', 'iso')
# A partition image with kernel and ramdisk may be an Amazon machine image.
CONTAINERS = ('bare', 'ami', None)
HASHES = ('sha256', 'sha384', 'sha512')


def _write(*handovers: Handover) -> str:
    handover, *_ = handovers
    if handover.node is None:
        return json.dumps(_info(handover), indent=4) + '\n'
    return ''.join(map(_command, handovers))


def _command(handover: Handover) -> str:
    """Return the line that sets a node's; a name that begins with a dash is no option."""
    values = [f'--instance-info={name}={_text(value)}' for name, value in _info(handover).items()]
    return shlex.join(['openstack', 'baremetal', 'node', 'set', *values, '--',
                       handover.node or '']) + '\n'


def _text(value: str) -> str:
    """Return a value in quotes if the command would read a number (it tries JSON first)."""
    return json.dumps(value) if re.fullmatch('[0-9e]+', value) else value


def _info(handover: Handover) -> dict[str, str]:
    image = handover.image
    if image.container_format not in CONTAINERS:
        raise ImageUnacceptable(
            f'Image {image} has the container format {image.container_format}, and Ironic cannot'
            ' take a disk out of that.', 'Hand over a bare image.')
    algorithm, value = handover.hash(HASHES)
    info = {'image_source': handover.urls['image'], 'image_os_hash_algo': algorithm,
            'image_os_hash_value': value}
    if image.disk_format in FORMATS:
        info['image_disk_format'] = image.disk_format
    boot = {role: url for role, url in handover.urls.items() if role != 'image'}
    return info | boot


CONSUMER = Consumer(_write, '.json', roles=('image', 'kernel', 'ramdisk'), nodes=True)
