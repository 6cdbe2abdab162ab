# SPDX-License-Identifier: Apache-2.0
"""curl: lines for a POSIX shell. They download an image, verify it, and rename it at the end.

They need curl and a program for the hash, such as ``sha512sum`` (GNU coreutils, BusyBox). curl
reads the URL from standard input (``-K -``), because every user of a machine can see arguments.
Options by curl's manual page: ``-f`` fails on an HTTP error, ``-C -`` continues an interrupted
download, ``-g`` leaves the brackets of an IPv6 address alone. HTTP 416 means that an earlier
download is complete.
"""

from __future__ import annotations

import shlex

from osc_imgurl.export import Consumer, Handover

HASHES = {'sha224': 'sha224sum', 'sha256': 'sha256sum', 'sha384': 'sha384sum',
          'sha512': 'sha512sum'}
# A subshell: after pasting the lines into a terminal, exit does not close it.
_LINES = """\
(
    file={file}
    part={part}
    if [ -e "$file" ] || [ -L "$file" ]; then
        printf '%s is there already\\n' "$file" >&2
        exit 1
    fi
    command -v {program} > /dev/null || {{ echo 'There is no {program} here' >&2; exit 1; }}
    status=$(curl -fgC - -o "$part" -w '%{{http_code}}' -K - <<'END'
url = {url}
END
    ) || [ "$status" = 416 ] || exit
    hash=$({program} < "$part") || exit
    if [ "${{hash%% *}}" != {hash} ]; then
        echo 'The data is not that of the image: its hash is another' >&2
        rm -f "$part"
        exit 1
    fi
    mv -- "$part" "$file"
)
"""


def _write(*handovers: Handover) -> str:
    if len(handovers) == 1:
        return _lines(*handovers)
    # What is wrong with one image keeps no other from its download.
    return ''.join(['(\nstatus=0\n', *(f'{_lines(each)[:-1]} || status=1\n' for each in handovers),
                    'exit $status\n)\n'])


def _lines(handover: Handover) -> str:
    algorithm, value = handover.hash(HASHES)
    # The ID in the name keeps a download from continuing another image's.
    part = f'{handover.image.id}.part'
    return _LINES.format(
        url=_quote(handover.urls['image']), file=shlex.quote(handover.file_name),
        part=shlex.quote(part), program=shlex.quote(HASHES[algorithm]), hash=shlex.quote(value))


def _quote(text: str) -> str:
    """Quote a value for curl's configuration (curl(1), ``-K``)."""
    escaped = text.replace('\\', r'\\').replace('"', r'\"')
    return f'"{escaped}"'


CONSUMER = Consumer(_write, '.sh', several=True)
