"""What we read in config files is what Glance and Ironic read in them."""

import json
import pathlib
import subprocess
import sys

import pytest

from osc_imgurl import container_name
from osc_imgurl.settings import sources
from osc_imgurl.settings.table import for_store

from .conftest import ROOT

IMAGE_ID = '3A1f6de0-93c4-4b44-bf4f-9a3b3aa2c6c5'
STORES = '[DEFAULT]\nenabled_backends = a:swift, b:swift\n'
GLANCES = {
    'nothing': [''],
    'one store': ['[glance_store]\nswift_store_container = x\n'
                  'swift_store_multiple_containers_seed = 3\n'],
    'in common': [STORES + '[backend_defaults]\nswift_store_multiple_containers_seed = 3\n'
                  '[a]\nswift_store_container = of-a\n'],
    'in common and own': [STORES + '[backend_defaults]\nswift_store_container = common\n'
                          '[B]\nswift_store_container = of-b\n'],
    'two files': [STORES + '[a]\nswift_store_container = of-a\n',
                  '[a]\nswift_store_multiple_containers_seed = 2\n'],
    'the last file': [STORES + '[a]\nswift_store_container = x\n',
                      '[a]\nswift_store_container = y\n'],
    'the long name of the driver': [
        '[DEFAULT]\nenabled_backends = b:glance.store.swift.Store\n'
        '[b]\nswift_store_container = x\n'],
    'substituted': ['[glance_store]\nswift_store_region = r\n'
                    'swift_store_container = $swift_store_region-$swift_store_service_type\n'],
    'not substituted': [STORES + '[a]\nswift_store_container = x$swift_store_region\n'
                        '[b]\nswift_store_container = a$$b\n']}
IRONICS = {
    'nothing': [''],
    'substituted': ['[glance]\nswift_container = ${swift_api_version}x\nswift_account = $host\n'
                    'swift_endpoint_url = http://$my_ip:8080\n'],
    'of another group': ['[glance]\nswift_container = ${conductor.workers_pool_size}\n'
                         'swift_account = $swift_account_prefix\n'
                         '[conductor]\nworkers_pool_size = 77\n'],
    'two files': ['[glance]\nswift_container = x\nswift_account = AUTH_x\n',
                  '[glance]\nswift_container = y\nswift_account_prefix = KEY\n'],
    'empty': ['[glance]\nswift_account =\nswift_account_prefix =\n']}


def write(folder, texts):
    paths = []
    for number, text in enumerate(texts):
        paths.append(str(folder / f'{number}.conf'))
        pathlib.Path(paths[-1]).write_text(text)
    return paths


def theirs(python, service, paths):
    done = subprocess.run(
        [python, pathlib.Path(__file__).with_name('service_settings.py'), service, *paths],
        capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope='module')
def cloud_python():
    made = subprocess.run([sys.executable, ROOT / 'tools/make_venv.py', 'cloud'],
                          capture_output=True, text=True, check=True)
    return pathlib.Path(made.stdout.strip()) / 'bin/python'


@pytest.mark.parametrize('texts', GLANCES.values(), ids=GLANCES)
def test_glance(cloud_python, tmp_path, texts):
    paths = write(tmp_path, texts)
    settings = sources.load({}, config_files=paths)
    for store, container in theirs(cloud_python, 'glance', paths).items():
        ours = for_store(settings, store or None)
        assert container_name(ours.container, IMAGE_ID, ours.multiple_containers_seed) == container


@pytest.mark.extra
@pytest.mark.parametrize('texts', IRONICS.values(), ids=IRONICS)
def test_ironic(ironic_python, tmp_path, texts):
    paths = write(tmp_path, texts)
    read = theirs(ironic_python, 'ironic', paths)
    ours = sources.load({}, config_files=paths)
    assert {'swift_container': ours.container, 'swift_endpoint_url': ours.endpoint_url,
            'swift_account': ours.account or '', 'swift_account_prefix': (
                'AUTH' if ours.account_prefix is None else ours.account_prefix)} == {
        **read, 'swift_account': read['swift_account'] or ''}
