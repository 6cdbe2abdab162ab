# SPDX-License-Identifier: Apache-2.0
"""curl: lines for a POSIX shell that download an image, verify it, and only then give it its name.

They need curl and a program for the hash, such as ``sha512sum`` (GNU coreutils, BusyBox). curl
reads the URL from its standard input (``-K -``): whoever lists the processes of a machine sees
their arguments. The options are those of curl's manual page: ``-f`` fails on an HTTP error,
``-C -`` goes on where a download broke off, ``-g`` takes the brackets of an IPv6 address as they
are. HTTP's 416 says that nothing is missing of a file which a former download has left.
"""

from __future__ import annotations

import shlex

from osc_imgurl.export import Consumer, Handover

HASHES = {'sha224': 'sha224sum', 'sha256': 'sha256sum', 'sha384': 'sha384sum',
          'sha512': 'sha512sum'}
# In a shell of their own, so that exit ends no terminal into which they are pasted.
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
    # Of one image in any case, so that no download goes on where another's broke off.
    part = f'{handover.image.id}.part'
    return _LINES.format(
        url=_quote(handover.urls['image']), file=shlex.quote(handover.file_name),
        part=shlex.quote(part), program=shlex.quote(HASHES[algorithm]), hash=shlex.quote(value))


def _quote(text: str) -> str:
    """Return a value as curl's configuration has it (curl(1), ``-K``)."""
    escaped = text.replace('\\', r'\\').replace('"', r'\"')
    return f'"{escaped}"'


CONSUMER = Consumer(_write, '.sh', several=True)
