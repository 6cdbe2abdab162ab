"""The config files of services: one configuration, which means what it means to the service."""

import pathlib

import pytest

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.settings.sources import load
from osc_imgurl.settings.table import for_store
from osc_imgurl.tempurl.signing import Key


@pytest.fixture
def write(tmp_path):
    """Return a function that writes files, by name, and returns their paths."""
    def write(**files):
        paths = []
        for name, text in files.items():
            path = tmp_path / f'{name}.conf'
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            path.chmod(0o600)
            paths.append(str(path))
        return paths
    return write


def read(paths, store=None):
    settings = for_store(load({}, config_files=paths), store)
    return settings.container, settings.multiple_containers_seed


STORES = '[DEFAULT]\nenabled_backends = a:swift, B:swift\n'


@pytest.mark.parametrize(('text', 'a', 'b'), [
    ('[backend_defaults]\nswift_store_multiple_containers_seed = 3\n'
     '[a]\nswift_store_container = x\n', ('x', 3), ('glance', 3)),
    ('[backend_defaults]\nswift_store_container = x\n[a]\nswift_store_container =\n',
     ('x', 0), ('x', 0)),
    ('[backend_defaults]\nswift_store_container = x\n[b]\nswift_store_container = y\n',
     ('x', 0), ('y', 0))])
def test_what_stores_have_in_common(write, text, a, b):
    paths = write(glance=STORES + text)
    assert [read(paths, store) for store in ('a', 'B')] == [a, b]


@pytest.mark.parametrize('stores', [
    'fast:glance.store.swift.Store', 'disk:file, fast:glance.store.swift.Store', ' fast : swift ',
    '"fast:swift"'])
def test_the_names_of_the_swift_driver(write, stores):
    text = f'[DEFAULT]\nenabled_backends = {stores}\n[fast]\nswift_store_container = x\n'
    assert read(write(glance=text)) == read(write(glance=text), 'fast') == ('x', 0)


@pytest.mark.parametrize(('stores', 'named'), [
    ('fast:Swift', 'fast:Swift'), ('{fast:swift}', '{fast:swift}'),
    ("fast:'swift'", "fast:'swift'"),
    ('a:file, fast:swift2', 'fast:swift2'), ('{a:swift, b:file}', '{a:swift'),
    ('a:swift;b:file', 'a:swift;b:file'),
    ('a:glance.store.swift.store', 'glance.store.swift.store'),
    ('a:file, a:$driver', None), ('a', None)])
def test_stores_that_glance_does_not_know(write, stores, named):
    path, = write(glance=f'[DEFAULT]\ndriver = swift\nenabled_backends = {stores}\n')
    with pytest.raises(InvalidParameterValue) as caught:
        read([path])
    assert f'Invalid enabled_backends ([DEFAULT]enabled_backends in {path})' in str(caught.value)
    assert not named or f'{named} is not a store' in str(caught.value)


@pytest.mark.parametrize('default', ['slow', 'Fast', 'swift'])
def test_a_default_store_that_is_none(write, default):
    path, = write(glance='[DEFAULT]\nenabled_backends = fast:swift, disk:file\n[glance_store]\n'
                         f'default_backend = {default}\n')
    with pytest.raises(InvalidParameterValue) as caught:
        read([path])
    assert str(caught.value) == (
        f'Invalid default_backend ([glance_store]default_backend in {path}): there is no store'
        f' {default} in enabled_backends. Name one of fast, disk.')


def test_a_glance_without_a_store_in_swift(write):
    """Where stores have names, the group of the only one without counts for nothing."""
    text = '[DEFAULT]\nenabled_backends = disk:file\n[glance_store]\nswift_store_container = x\n'
    settings = load({}, config_files=write(glance=text))
    assert (settings.container, dict(settings.sources)) == ('glance', {})


def test_the_only_store_has_nothing_in_common(write):
    text = '[backend_defaults]\nswift_store_container = x\n'
    assert read(write(glance=text)) == ('glance', 0)


def test_several_files_are_one_configuration(write):
    paths = write(one=f'{STORES}[a]\nswift_store_container = x\n',
                  two='[A]\nswift_store_multiple_containers_seed = 3\n'
                      '[backend_defaults]\nswift_store_container = y\n')
    settings = load({}, config_files=paths)
    assert read(paths, 'a') == ('x', 3)
    assert [str(for_store(settings, 'a').sources[name]) for name in (
        'container', 'multiple_containers_seed')] == [
            f'[a]swift_store_container in {paths[0]}',
            f'[a]swift_store_multiple_containers_seed in {paths[1]}']
    assert read(paths, 'B') == ('y', 0)


def test_a_folder_of_files(write, tmp_path, monkeypatch):
    write(**{'conf.d/20': '[glance]\nswift_container = y\n',
             'conf.d/10': '[glance]\nswift_container = x\nswift_account = AUTH_x\n'})
    (tmp_path / 'conf.d/30.conf.rpmsave').write_text('[glance]\nswift_container = z\n')
    settings = load({}, config_files=[str(tmp_path / 'conf.d')])
    assert (settings.container, settings.account) == ('y', 'AUTH_x')
    assert str(settings.sources['account']) == f'[glance]swift_account in {tmp_path}/conf.d/10.conf'
    after = write(after='[glance]\nswift_container = w\n')
    assert read([str(tmp_path / 'conf.d'), *after]) == ('w', 0)
    monkeypatch.setenv('HOME', str(tmp_path))
    assert read(['~/conf.d']) == ('y', 0)
    (tmp_path / 'empty').mkdir()
    assert read([str(tmp_path / 'empty')]) == ('glance', 0)


@pytest.mark.parametrize(('first', 'container'), [('glance', 'of-ironic'), ('ironic', 'of-glance')])
def test_an_ironic_and_a_glance(write, first, container):
    texts = {'ironic': '[glance]\nswift_container = of-ironic\nswift_account = AUTH_x\n',
             'glance': '[glance_store]\nswift_store_container = of-glance\n'
                       'swift_store_multiple_containers_seed = 3\n'}
    second, = texts.keys() - {first}
    paths = write(**{name: texts[name] for name in (first, second)})
    assert read(paths) == (container, 3)
    assert load({}, config_files=paths).account == 'AUTH_x'


@pytest.mark.parametrize(('text', 'kind'), [
    ('[deploy]\nobject_store_endpoint_type = radosgw\n', 'radosgw'),
    ('[glance]\ntemp_url_endpoint_type = radosgw\n', 'radosgw'),
    ('[glance]\ntemp_url_endpoint_type = radosgw\n[deploy]\nobject_store_endpoint_type = swift\n',
     'swift'),
    ('[glance]\ntemp_url_endpoint_type = radosgw\n[deploy]\nobject_store_endpoint_type =\n',
     'radosgw')])
def test_where_ironic_had_the_endpoint_type(write, text, kind):
    assert load({}, config_files=write(ironic=text)).endpoint_type == kind


@pytest.mark.parametrize(('text', 'container'), [
    ('swift_container = ${swift_api_version}x', 'v1x'),
    ('swift_container = $swift_account_prefix-x', 'AUTH-x'),
    ('swift_container = x$swift_account', 'x'), ('swift_container = $timeout_', None),
    ('swift_container = x$region_name\nregion_name = r', 'xr'),
    ('swift_container = x$region_name', 'x'),
    ('swift_container = $user\n[DEFAULT]\nuser = u', 'u'),
    ('swift_container = ${other.name}\n[other]\nname = n', 'n'),
    ('swift_container = x$swift_api_version\nswift_api_version =', 'xv1'),
    ('swift_container = x$swift_container_x\nswift_container_x =', 'x'),
    ('swift_container = x$swift_account_prefix\nswift_account_prefix =', 'x'),
    ('swift_container = $swift_account\nswift_account =', 'glance'),
    ('swift_container = ${other.name}', None), ('swift_container = a$$b', 'a$b'),
    ('swift_container = $_x\n_x = 1\n[DEFAULT]\nversion = 1\nconfig_file = x', None)])
def test_what_ironic_substitutes(write, text, container):
    paths = write(ironic=f'[glance]\n{text}\n')
    if container:
        assert read(paths) == (container, 0)
        return
    with pytest.raises(InvalidParameterValue, match=r'Invalid container \(\[glance\]swift_con'):
        read(paths)


@pytest.mark.parametrize('text', [
    '[glance]\nswift_container = $swift_container', '[glance]\nswift_container = a\n'
    'swift_account = $a\na = $b\nb = $a', '[glance_store]\nswift_store_container = x$x\nx = $x'])
def test_what_stands_for_itself(write, text):
    paths = write(service=f'{text}\n')
    with pytest.raises(InvalidParameterValue, match='in it refers to itself'):
        read(paths)


@pytest.mark.parametrize('name', ['my_ip', 'host', 'swift_api_version', 'swift_container'])
def test_what_only_ironic_substitutes(write, name):
    paths = write(glance=f'[glance_store]\nswift_store_container = x${name}\n')
    with pytest.raises(InvalidParameterValue, match=r'container \(\[glance_store\]swift_store_con'):
        read(paths)
    assert read(write(glance=f'[DEFAULT]\n{name} = y\n[glance_store]\nswift_store_container = '
                             f'x${name}\n')) == ('xy', 0)


@pytest.mark.parametrize(('text', 'container'), [
    ('[glance_store]\nswift_store_container = x$swift_store_multiple_containers_seed\n'
     'swift_store_multiple_containers_seed =', 'x0'),
    ('[glance_store]\nswift_store_container = x$swift_store_region', 'x'),
    ('[glance_store]\nswift_store_container = x$swift_store_region\nswift_store_region = r', 'xr'),
    ('[glance_store]\nswift_store_container = x$swift_store_endpoint_type', 'xpublicURL'),
    (f'{STORES}[a]\nswift_store_container = x$swift_store_endpoint_type', 'x'),
    (f'{STORES}[backend_defaults]\nswift_store_container = x$swift_store_service_type',
     'xobject-store'),
    ('[DEFAULT]\nkind = swift\nenabled_backends = a:$kind\n[a]\nswift_store_container = x', 'x')])
def test_what_glance_substitutes(write, text, container):
    assert read(write(glance=f'{text}\n')) == (container, 0)


def test_what_is_another_on_each_machine(write, monkeypatch):
    monkeypatch.setattr('oslo_utils.netutils.get_my_ipv4', lambda: '192.0.2.7')
    monkeypatch.setattr('socket.getfqdn', lambda: 'me.example.com')
    paths = write(ironic='[glance]\nswift_endpoint_url = http://$my_ip:8080\n'
                         'swift_account = $host\n')
    settings = load({}, config_files=paths)
    assert (settings.endpoint_url, settings.account) == ('http://192.0.2.7:8080', 'me.example.com')
    paths += write(more='[DEFAULT]\nmy_ip = 192.0.2.8\n')
    assert load({}, config_files=paths).endpoint_url == 'http://192.0.2.8:8080'
    paths = write(ironic='[DEFAULT]\nswift = http://$my_ip\n[glance]\nswift_endpoint_url = $swift')
    assert load({}, config_files=paths).endpoint_url == 'http://192.0.2.7'


def test_the_machine_is_asked_only_where_it_counts(write, monkeypatch):
    def fail():
        pytest.fail('a name server may not answer')

    monkeypatch.setattr('socket.getfqdn', fail)
    monkeypatch.setattr('oslo_utils.netutils.get_my_ipv4', fail)
    paths = write(ironic='[glance]\nswift_account = a$$b\nhost = my_ip\n')
    assert load({}, config_files=paths).account == 'a$b'


def test_what_is_empty_is_not_set(write):
    options = ('temp_url_key', 'temp_url_duration', 'endpoint_url', 'account', 'container')
    text = '[glance]\ntimeout =\nallowed_direct_url_schemes =\n' + ''.join(
        f'swift_{option} =\n' for option in options)
    first, second = write(one='[glance]\nswift_account = AUTH_x\n', two=text)
    settings = load({}, config_files=[first, second])
    assert settings == load({})
    assert set(settings.sources) <= {'allowed_direct_url_schemes'}
    prefix = write(prefix='[glance]\nswift_account_prefix =\n')
    assert load({}, config_files=prefix).account_prefix == ''


def test_a_key_in_the_second_file_is_the_one_that_is_warned_of(write, caplog):
    paths = write(one='[glance]\nswift_account = AUTH_x\n',
                  two='[glance]\nswift_temp_url_key = a key\n')
    for path in paths:
        pathlib.Path(path).chmod(0o604)
    assert load({}, config_files=paths).key == Key(b'a key')
    record, = caplog.records
    assert f'the config file {paths[1]}' in record.getMessage()
