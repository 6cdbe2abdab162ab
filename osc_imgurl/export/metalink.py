# SPDX-License-Identifier: Apache-2.0
"""Metalink (RFC 5854), for aria2c: URL, size and hash of a file.

The hash types are IANA's "Hash Function Textual Names".
"""

from __future__ import annotations

from xml.etree import ElementTree

from osc_imgurl.export import Consumer, Handover

HASHES = {'sha224': 'sha-224', 'sha256': 'sha-256', 'sha384': 'sha-384', 'sha512': 'sha-512'}


def _write(*handovers: Handover) -> str:
    metalink = ElementTree.Element('metalink', xmlns='urn:ietf:params:xml:ns:metalink')
    for handover in handovers:
        algorithm, value = handover.hash(HASHES)
        file = ElementTree.SubElement(metalink, 'file', name=handover.file_name)
        if handover.image.size is not None:
            ElementTree.SubElement(file, 'size').text = str(handover.image.size)
        ElementTree.SubElement(file, 'hash', type=HASHES[algorithm]).text = value
        ElementTree.SubElement(file, 'url').text = handover.urls['image']
    ElementTree.indent(metalink)
    # ASCII works in terminals, pipes and files of any encoding.
    text: bytes = ElementTree.tostring(metalink, encoding='us-ascii', xml_declaration=True)
    return text.decode() + '\n'


CONSUMER = Consumer(_write, '.meta4', several=True)
