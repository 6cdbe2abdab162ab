# SPDX-License-Identifier: Apache-2.0
"""KubeVirt's Containerized Data Importer: DataVolumes, as YAML.

The fields are those of the API ``cdi.kubevirt.io/v1beta1`` (``DataVolumeSourceHTTP`` and
``StorageSpec`` in ``types.go`` of kubevirt/containerized-data-importer): ``url``, and since 2026
``checksum``, ``<algorithm>:<hex>``. CDI itself adds a file system's overhead to ``storage``. Its
``doc/supported_operations.md`` lists the formats.
"""

from __future__ import annotations

import yaml

from osc_imgurl.errors import ImageUnacceptable
from osc_imgurl.export import Consumer, Handover

FORMATS = {name: name for name in ('raw', 'qcow2', 'vmdk', 'vdi', 'vhd', 'vhdx')}
HASHES = ('sha256', 'sha512')


def _write(*handovers: Handover) -> str:
    return yaml.safe_dump_all(map(_volume, handovers), sort_keys=False)


def _volume(handover: Handover) -> dict[str, object]:
    image, disk_format = handover.image, handover.disk_format(FORMATS)
    size = image.virtual_size or (image.size if disk_format == 'raw' else None)
    if not size:
        raise ImageUnacceptable(
            f'Glance shows no virtual size of image {image}, to choose the size of the volume.',
            'Upload it again to a Glance that detects the size.')
    return {
        'apiVersion': 'cdi.kubevirt.io/v1beta1',
        'kind': 'DataVolume',
        # Kubernetes allows lower-case letters, digits and dashes; an image's name may be anything.
        'metadata': {'name': image.id.lower()},
        'spec': {
            'source': {'http': {'url': handover.urls['image'],
                                'checksum': ':'.join(handover.hash(HASHES))}},
            'storage': {'resources': {'requests': {'storage': str(size)}}},
        },
    }


CONSUMER = Consumer(_write, '.yaml', several=True)
