"""An image with what Glance shows of one, and what is handed over with it."""

import hashlib

from osc_imgurl.export import Handover

from ..stubs import IMAGE_ID, image

URL = (f'https://swift.example.com/v1/AUTH_p/glance/{IMAGE_ID}'
       f'?temp_url_sig={"5" * 64}&temp_url_expires=1700000600')
KERNEL, RAMDISK = (URL.replace(IMAGE_ID, boot) for boot in ('kernel-id', 'ramdisk-id'))
DATA = b'the data of the image'
SHA512 = hashlib.sha512(DATA).hexdigest()
FACTS = {'os_hash_algo': 'sha512', 'os_hash_value': SHA512, 'disk_format': 'qcow2',
         'virtual_size': 117_440_512}
# What a name may hold: what ends a quotation, or means something, in some language; and what
# nothing shows.
NAMES = ['cirros', "it's", '"', '$(touch x)', '`touch x`', '${mac}', 'a & b', 'a && b', '<b/>',
         ']]>', '<![CDATA[', '-rf', '--', '..', '../x', '/etc/passwd', '.bashrc', '~root', 'a\nb',
         'a\r\nb', 'EOF', '\\', 'a\\', '%s', '# x', ': x', '- x', '{x', '!x', '*', 'ü', '\x00',
         '\x1b[31m', '\u202egnp.exe', '\ud800', '\uffff', ' ', '', 'x' * 255, 'ü' * 255]


def handover(*, urls=None, kernel_parameters='', saved_as=None, node=None, name='cirros',
             id=IMAGE_ID, **facts):
    """Return an image to be handed over, with a URL; ``facts`` are what Glance shows otherwise."""
    shown = image(name=name, id=id, size=len(DATA), properties={**FACTS, **facts})
    return Handover(shown, urls or {'image': URL}, kernel_parameters, saved_as, node)
