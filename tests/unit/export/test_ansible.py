"""Tasks for Ansible. tests/functional has it do them."""

import pytest
import yaml

from osc_imgurl.errors import ImageUnacceptable
from osc_imgurl.export.ansible import CONSUMER

from ..stubs import IMAGE_ID, OTHER_ID
from .given import NAMES, SHA512, URL, handover


class Loader(yaml.SafeLoader):
    """Reads a text that is no template, too."""


Loader.add_constructor('!unsafe', lambda loader, node: loader.construct_scalar(node))


def tasks(*handovers):
    return yaml.load(CONSUMER.write(*handovers), Loader)  # noqa: S506


def test_a_task():
    assert tasks(handover()) == [{
        'name': f'Download image {IMAGE_ID}',
        'ansible.builtin.get_url': {
            'url': URL, 'checksum': f'sha512:{SHA512}', 'dest': './cirros.qcow2', 'mode': '0600'},
        'no_log': True}]


def test_a_task_for_each_image():
    assert tasks(handover(), handover(id=OTHER_ID, name='other')) == [
        *tasks(handover()), *tasks(handover(id=OTHER_ID, name='other'))]


@pytest.mark.parametrize('name', [*NAMES, '{{ 1 + 1 }}', '{% raw %}', '{#', '$HOME', '~'])
def test_any_name_is_that_of_a_file_here(name):
    """The URL may give it its name, and then that is kept as far as the language goes."""
    for given in (handover(name=name), handover(saved_as=name)):
        text = CONSUMER.write(given)
        task, = tasks(given)
        folder, _, file = task['ansible.builtin.get_url']['dest'].partition('/')
        assert (folder, file) == ('.', given.file_name.replace('$', '_'))
        assert '/' not in file
        assert all('!unsafe' in line for line in text.splitlines() if '{' in line)


@pytest.mark.parametrize('algorithm', [None, 'md5', 'sha3_512'])
def test_without_such_a_hash(algorithm):
    with pytest.raises(ImageUnacceptable, match='no hash'):
        CONSUMER.write(handover(os_hash_algo=algorithm))
