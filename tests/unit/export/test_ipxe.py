"""The script for iPXE. tests/functional has a real one boot with it."""

import pytest

from osc_imgurl.errors import ImageUnacceptable, InvalidParameterValue
from osc_imgurl.export.ipxe import CONSUMER

from .given import KERNEL, NAMES, RAMDISK, handover

BOTH = {'kernel': KERNEL, 'ramdisk': RAMDISK}


def script(urls=None, parameters='', **changes):
    return CONSUMER.write(handover(urls=urls or BOTH, kernel_parameters=parameters, **changes))


def commands(text):
    """Return the words of each command, as iPXE takes lines apart."""
    assert text.endswith('\n') and '\\' not in text
    return {line.split()[0]: line.split() for line in text.splitlines()}


def test_kernel_and_ramdisk():
    text = script(parameters='console=ttyS0 quiet')
    assert text.startswith('#!ipxe\n')
    assert commands(text)['kernel'] == [
        'kernel', '--timeout', '60000', KERNEL, 'initrd=ramdisk', 'console=ttyS0', 'quiet',
        '||', 'goto', 'retry']
    assert commands(text)['initrd'] == [
        'initrd', '--name', 'ramdisk', '--timeout', '60000', RAMDISK, '||', 'goto', 'retry']


def test_a_kernel_without_a_ramdisk():
    text = script({'kernel': KERNEL})
    assert commands(text)['kernel'] == [
        'kernel', '--timeout', '60000', KERNEL, '||', 'goto', 'retry']
    assert 'initrd' not in text


def test_each_label_is_there():
    text = script()
    gone_to = {line.split()[line.split().index('goto') + 1]
               for line in text.splitlines() if 'goto' in line.split()}
    assert gone_to == {line[1:] for line in text.splitlines() if line.startswith(':')}


def test_without_a_kernel_there_is_nothing_to_boot():
    with pytest.raises(ImageUnacceptable, match='has no kernel'):
        script({'ramdisk': RAMDISK})


@pytest.mark.parametrize('parameters', [
    'a=b&&c', 'a=;', 'a#b', 'a="b c"', "'", '$HOME', 'a={b}', '-- --x', 'a||b', 'a\\', '  a  '])
def test_parameters_that_reach_the_kernel_as_they_are(parameters):
    words = commands_of_any(script(parameters=parameters))
    assert words == ['initrd=ramdisk', *parameters.split()]


def commands_of_any(text):
    """Return the kernel's parameters; a backslash at the end of a line would join two."""
    line, = (line for line in text.splitlines() if line.startswith('kernel '))
    assert line.endswith(' || goto retry')
    return line.removesuffix(' || goto retry').split()[4:]


@pytest.mark.parametrize(('parameters', 'odd'), [
    ('a || b', '||'), ('a && b', '&&'), ('a ; b', ';'), ('a #b', '#b'), ('#', '#'),
    ('BOOTIF=${mac}', '${'), ('a\nb', '\n'), ('a\tb', '\t'), ('a\x00', '\x00'), ('ü', 'ü')])
def test_parameters_that_would_not_are_named(parameters, odd):
    with pytest.raises(InvalidParameterValue) as caught:
        script(parameters=parameters)
    assert repr(odd) in caught.value.problem and caught.value.names == ('kernel_parameters',)


@pytest.mark.parametrize('name', NAMES)
def test_no_name_is_in_it(name):
    assert script(name=name) == script()
