# SPDX-License-Identifier: Apache-2.0
"""iPXE: a script to boot an image's kernel and ramdisk.

For the commands see https://ipxe.org/cmd. iPXE has no quotation: it splits a line at white space
(``src/core/exec.c``), continues a line after a backslash (``src/image/script.c``), and replaces
``${...}`` (``src/core/settings.c``). It decodes and encodes a URL, but not an ampersand
(``src/core/uri.c``): so no URL here has a file name.
"""

from __future__ import annotations

from osc_imgurl.errors import ImageUnacceptable, InvalidParameterValue
from osc_imgurl.export import Consumer, Handover

# Milliseconds without progress of a download.
TIMEOUT = 60_000
ATTEMPTS = 10
# Seconds between two attempts.
PAUSE = 5
RAMDISK = 'ramdisk'


def _write(handover: Handover) -> str:
    if 'kernel' not in handover.urls:
        raise ImageUnacceptable(
            f'Image {handover.image} has no kernel for iPXE to boot.',
            "Set the image's property kernel_id to the ID of a kernel's image.")
    kernel = ['kernel --timeout', str(TIMEOUT), handover.urls['kernel']]
    initrd = []
    if 'ramdisk' in handover.urls:
        # An EFI kernel finds its ramdisk by this name only.
        kernel.append(f'initrd={RAMDISK}')
        initrd = [f'initrd --name {RAMDISK} --timeout {TIMEOUT} {handover.urls["ramdisk"]}'
                  ' || goto retry']
    kernel += [_validate(handover.kernel_parameters), '|| goto retry']
    return '\n'.join([
        '#!ipxe',
        'set attempt:int32 1',
        ':start',
        'imgfree',
        ' '.join(filter(None, kernel)),
        *initrd,
        'boot || goto retry',
        ':retry',
        f'iseq ${{attempt}} {ATTEMPTS} && goto fail ||',
        'inc attempt',
        f'echo Trying again in {PAUSE} seconds, attempt ${{attempt}} of {ATTEMPTS}',
        f'sleep {PAUSE}',
        'goto start',
        ':fail',
        f'echo No boot after {ATTEMPTS} attempts',
        'exit 1', ''])


def _validate(parameters: str) -> str:
    """Return kernel parameters if iPXE passes them to the kernel unchanged.

    :raises InvalidParameterValue: it would change them.
    """
    words = parameters.split(' ')
    odd = [word for word in words if word in ('||', '&&', ';') or word.startswith('#')]
    odd += [part for part in ('${',) if part in parameters]
    odd += [char for char in parameters if not (char.isprintable() and char.isascii())]
    if odd:
        raise InvalidParameterValue(
            f'iPXE cannot pass {odd[0]!r} in the kernel parameters to the kernel: it has no'
            ' quotation for it.', 'Leave it out.', 'kernel_parameters')
    return parameters.strip()


CONSUMER = Consumer(_write, '.ipxe', roles=('kernel', 'ramdisk'), kernel_parameters=True)
