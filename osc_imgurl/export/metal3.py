# SPDX-License-Identifier: Apache-2.0
"""Metal3: the image of a BareMetalHost, as YAML.

The fields are those of ``Image`` in the API ``metal3.io/v1alpha1``
(``apis/metal3.io/v1alpha1/baremetalhost_types.go`` of metal3-io/baremetal-operator): ``url``,
``checksum`` (required, but for a live ISO), ``checksumType`` (md5, sha256, sha512 or auto; MD5
where it is missing) and ``format`` (raw, qcow2, vdi, vmdk or live-iso).
"""

from __future__ import annotations

import re

import yaml

from osc_imgurl.export import Consumer, Handover

FORMATS = {'raw': 'raw', 'qcow2': 'qcow2', 'vdi': 'vdi', 'vmdk': 'vmdk', 'iso': 'live-iso'}
HASHES = ('sha256', 'sha512')


class _Dumper(yaml.SafeDumper):
    """Quotes everything that looks like a number: a hash may be digits and one ``e``."""


_Dumper.add_implicit_resolver(
    'tag:yaml.org,2002:float', re.compile(r'[-+]?[0-9.]+(e[-+]?[0-9]+)?'), list('-+.0123456789'))


def _write(handover: Handover) -> str:
    image = {'url': handover.urls['image'], 'format': handover.disk_format(FORMATS)}
    if image['format'] != 'live-iso':
        image['checksumType'], image['checksum'] = handover.hash(HASHES)
    return yaml.dump({'spec': {'image': image}}, Dumper=_Dumper, sort_keys=False)


CONSUMER = Consumer(_write, '.yaml')
