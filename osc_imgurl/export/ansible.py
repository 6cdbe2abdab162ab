# SPDX-License-Identifier: Apache-2.0
"""Ansible: tasks that download images and verify them, as YAML.

The arguments are those of the module ``ansible.builtin.get_url``. Ansible takes what stands between
braces for a template (Jinja), but not in a value with the tag ``!unsafe``. In a path it replaces
``$NAME`` (``os.path.expandvars``). The results of a task hold the URL; ``no_log`` keeps them out of
the output.
"""

from __future__ import annotations

import yaml

from osc_imgurl.export import Consumer, Handover

HASHES = ('sha224', 'sha256', 'sha384', 'sha512')


class _Dumper(yaml.SafeDumper):
    """Keeps templates what they are: texts."""


_Dumper.add_representer(str, lambda dumper, text: dumper.represent_scalar(
    '!unsafe' if '{' in text else 'tag:yaml.org,2002:str', text))


def _write(*handovers: Handover) -> str:
    return yaml.dump([{
        'name': f'Download image {each.image.id}',
        'ansible.builtin.get_url': {
            'url': each.urls['image'],
            'checksum': ':'.join(each.hash(HASHES)),
            # In the folder where the module runs, and no user's home.
            'dest': './' + each.file_name.replace('$', '_'),
            'mode': '0600',
        },
        'no_log': True,
    } for each in handovers], Dumper=_Dumper, sort_keys=False)


CONSUMER = Consumer(_write, '.yaml', several=True)
