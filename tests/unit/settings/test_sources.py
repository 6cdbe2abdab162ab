"""Settings from every source, and Ironic's rules for them."""

import dataclasses
import io
import logging
import pathlib
import re
import traceback

import pytest

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.osc.words import option_of
from osc_imgurl.settings import sources
from osc_imgurl.settings.table import BY_NAME, TABLE, Kind, Settings, Source
from osc_imgurl.tempurl.endpoint import gateway_endpoint
from osc_imgurl.tempurl.signing import Key

IRONIC = """\
[glance]
swift_temp_url_key = the secret
swift_temp_url_duration = 3600
swift_temp_url_expected_download_start_delay = 60
swift_endpoint_url = https://swift.example.com/
temp_url_endpoint_type = swift
swift_api_version = v1
swift_account = AUTH_x
swift_account_prefix = KEY_
swift_container = images
swift_store_multiple_containers_seed = 3
allowed_direct_url_schemes = file, http
swift_temp_url_cache_enabled = True
num_retries = 5
timeout = 7
"""


@pytest.fixture
def config_file(tmp_path):
    def write(text, name='service.conf'):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(0o600)
        return str(path)
    return write


def load(options=None, **kwargs):
    return sources.load(options or {}, **kwargs)


def test_defaults_are_ironics():
    settings = load()
    assert settings == Settings()
    assert (settings.duration, settings.expected_download_start_delay) == (1200, 0)
    assert (settings.container, settings.multiple_containers_seed) == ('glance', 0)
    assert settings.api_version == 'v1'
    assert not settings.sources


def test_ironics_config_file(config_file):
    path = config_file(IRONIC)
    settings = load(config_files=[path])
    assert settings == Settings(
        key=Key(b'the secret'), duration=3600, expected_download_start_delay=60,
        endpoint_url='https://swift.example.com', endpoint_type='swift', account='AUTH_x',
        account_prefix='KEY_', container='images', multiple_containers_seed=3,
        allowed_direct_url_schemes=('file', 'http'), cache_enabled=True, num_retries=5,
        timeout=7)
    assert settings.sources['container'] == Source(
        Kind.CONFIG_FILE, f'[glance]swift_container in {path}')


@pytest.mark.parametrize('text', [
    '[glance_store]\nstores = swift\nswift_store_container = images\n'
    'swift_store_multiple_containers_seed = 3\n',
    '[DEFAULT]\nenabled_backends = a:file, b:swift, c:swift\n[glance_store]\n'
    'default_backend = c\n[b]\nswift_store_container = other\n'
    '[c]\nswift_store_container = images\nswift_store_multiple_containers_seed = 3\n',
    '[DEFAULT]\nenabled_backends = a:file, c:swift\n[glance_store]\ndefault_backend = a\n'
    '[c]\nswift_store_container = images\nswift_store_multiple_containers_seed = 3\n',
])
def test_glances_config_file(config_file, text):
    settings = load(config_files=[config_file(text)])
    assert (settings.container, settings.multiple_containers_seed) == ('images', 3)


def test_the_first_source_counts(config_file):
    files = [config_file('[glance]\nswift_container = file1\n', '1'),
             config_file('[glance]\nswift_container = file2\n', '2')]
    cloud = {'image_temp_url': {'container': 'cloud', 'duration': 60}}
    environment = {'OSC_IMGURL_CONTAINER': 'environment', 'OS_CONTAINER': 'not ours'}
    assert load(config_files=files).container == 'file2'
    assert load(config_files=files, cloud=cloud).container == 'cloud'
    assert load(config_files=files, cloud=cloud, environment=environment).container == (
        'environment')
    settings = load({'container': 'option', 'account': None}, config_files=files, cloud=cloud,
                    environment=environment)
    assert settings.container == 'option'
    option = Source(Kind.OPTION, 'container')
    assert settings.sources == {
        'container': option,
        'duration': Source(Kind.CLOUD, 'image_temp_url.duration in clouds.yaml')}
    assert settings.given_by('account', 'container') == [option]
    named = load({'container': 'option'}, name_option='the option {}'.format)
    assert str(named.sources['container']) == 'the option container'
    assert load(environment=environment).sources['container'].kind is Kind.ENVIRONMENT
    assert load(environment={'OSC_IMGURL_CONTAINER': ''}).container == 'glance'


@pytest.mark.parametrize(('name', 'text', 'value'), [
    ('duration', '1200', 1200), ('duration', '20m', 1200), ('duration', '1h', 3600),
    ('duration', '7d', 604800), ('duration', '90s', 90),
    ('expected_download_start_delay', '0', 0),
    ('multiple_containers_seed', '32', 32), ('multiple_containers_seed', '0', 0),
    ('endpoint_url', 'http://swift:8080/', 'http://swift:8080'),
    ('endpoint_url', 'http://swift/v1/AUTH_x', 'http://swift'),
    ('account_prefix', '', ''), ('cache_enabled', True, True), ('cache_enabled', 'off', False),
    ('cache_arguments', {'url': 'redis://cache', 'db': 3},
     (('url', 'redis://cache'), ('db', 3))),
    ('cache_arguments', 'a=true,b=x', (('a', True), ('b', 'x'))), ('align', '1h', 3600),
    ('align', '0', 0), ('check', 'false', False), ('check', True, True),
    ('num_retries', 0, 0), ('num_retries', '7', 7),
    ('timeout', 5, 5), ('timeout', '1d', 86_400),
])
def test_values(name, text, value):
    assert getattr(load(cloud={'image_temp_url': {name: text}}), name) == value


@pytest.mark.parametrize(('name', 'text'), [
    *(('duration', text) for text in ('0', '-1', 'x', '', '1.5', '1y', '٣', '1h30')),
    ('expected_download_start_delay', '-1'),
    *(('multiple_containers_seed', text) for text in ('-1', '33', 'x', '', '1.0', '٣')),
    *(('endpoint_url', text) for text in (
        'swift', 'ftp://swift', 'http://', 'http://swift?x=1')),
    ('endpoint_type', 'ceph'), ('digest', 'md5'), ('digest', 'SHA1'),
    ('account', ''), ('account', 'a/b'), ('container', ''), ('container', 'a/b'),
    ('account_prefix', 'a/'), ('api_version', 'v1/'), ('key_file', ''), ('cache_enabled', 'maybe'),
    ('check', 'x'), ('num_retries', '-1'), ('num_retries', 'x'),
    ('timeout', '0'), ('timeout', '2d'), ('timeout', '9' * 12),
])
def test_bad_values_name_their_source(name, text):
    with pytest.raises(InvalidParameterValue) as caught:
        load(cloud={'image_temp_url': {name: text}})
    assert str(caught.value).startswith(
        f"Invalid {name} '{text}' (image_temp_url.{name} in clouds.yaml): expected ")


@pytest.mark.parametrize('given', [
    'https://user:SECRET@swift', 'https://user:SEC/RET@swift', 'https://user:S#E?C"RET\'@swift',
    'https://user:my SECRET@swift', 'user:SECRET@swift', '//user:SECRET@swift',
    'https:user:SECRET@', 'https://user:SECRET@x@swift', 'https://SECRET@swift', 'https://us\ner:SECRET@swift'])
def test_no_credentials_in_a_url_are_shown(given, tmp_path):
    config = tmp_path / 'ironic.conf'
    config.write_text(f'[glance]\nswift_endpoint_url = {given!r}\n')
    for given_in in ({'options': {'endpoint_url': given}},
                    {'options': {}, 'environment': {'OSC_IMGURL_ENDPOINT_URL': given}},
                    {'options': {}, 'cloud': {'image_temp_url': {'endpoint_url': given}}},
                    {'options': {}, 'config_files': [str(config)]}):
        with pytest.raises(InvalidParameterValue) as caught:
            load(**given_in)
        shown = ''.join(traceback.format_exception(caught.value))
        assert '***' in shown and not set(re.findall('[A-Z]+', str(caught.value))) & {
            'SECRET', 'SEC', 'RET'}
        assert 'SECRET' not in shown and 'RET@' not in shown


@pytest.mark.parametrize(('url', 'endpoint', 'version', 'account'), [
    ('http://h/v1/AUTH_z', 'http://h', 'v1', 'AUTH_z'),
    ('http://h/v1/AUTH_z/', 'http://h', 'v1', 'AUTH_z'),
    ('http://h/x/v1.0/MossoCloudFS_z', 'http://h/x', 'v1.0', 'MossoCloudFS_z'),
    ('http://h/swift/v1/KEY_z', 'http://h/swift', 'v1', 'KEY_z'),
    ('http://h/swift/v1', 'http://h/swift', 'v1', None), ('http://h/v2', 'http://h', 'v2', None),
    ('http://h', 'http://h', 'v1', None), ('http://h/v1//', 'http://h', 'v1', None)])
def test_what_a_storage_url_names(url, endpoint, version, account):
    for settings in load({'endpoint_url': url}), Settings(endpoint_url=url):
        assert (settings.endpoint_url, settings.api_version, settings.account) == (
            endpoint, version, account)
        assert dataclasses.replace(settings, store='west').account == account
    settings = load(cloud={'image_temp_url': {'endpoint_url': url}})
    source = settings.sources['endpoint_url']
    assert settings.sources == dict.fromkeys(
        ['endpoint_url', *['api_version'] * ('/v' in url), *['account'] * (account is not None)],
        source)


@pytest.mark.parametrize(('url', 'given', 'said'), [
    ('http://h/v1/AUTH_z', {'account': 'AUTH_y'}, 'names the account AUTH_z, and AUTH_y is given (T'
                                                  'he account)'),
    ('http://h/v2', {'api_version': 'v1'}, 'names the API version v2, and v1 is given'),
    ('http://h/v1', {'api_version': 'v3'}, 'names the API version v1, and v3 is given'),
    ('http://h/swift/v1/AUTH_z', {'endpoint_type': 'radosgw'}, 'names an account, and the endpoint'
                                                               ' type radosgw is for')])
def test_a_storage_url_that_contradicts(url, given, said):
    with pytest.raises(InvalidParameterValue) as caught:
        load({**given, 'endpoint_url': url}, name_option=lambda name: f'The {name}')
    assert said in str(caught.value) and f'The endpoint URL {url}' in str(caught.value)
    with pytest.raises(InvalidParameterValue):
        load(given, cloud={'image_temp_url': {'endpoint_url': url}})
    agreeing = {**given, 'account': 'AUTH_z', 'api_version': 'v1', 'endpoint_type': 'swift'}
    assert load({**agreeing, 'endpoint_url': 'http://h/v1/AUTH_z'}).account == 'AUTH_z'


@pytest.mark.parametrize('path', ['v1/AUTH_z/glance', 'v1/AUTH_z/glance/x', 'swift/v1/AUTH_z/c/'])
def test_no_container_stands_in_an_endpoint(path):
    with pytest.raises(InvalidParameterValue, match='expected an account or nothing behind'):
        load({'endpoint_url': f'http://h/{path}'})


def test_a_name_in_clouds_yaml_may_have_dashes_and_capitals():
    cloud = {'image_temp_url': {'Expected-Download-Start-Delay': 7, 'account': None}}
    settings = load(cloud=cloud)
    assert (settings.expected_download_start_delay, settings.account) == (7, None)
    assert list(settings.sources) == ['expected_download_start_delay']


def test_bad_cache_arguments_are_not_shown():
    with pytest.raises(InvalidParameterValue, match='expected name=value') as caught:
        load(cloud={'image_temp_url': {'cache_arguments': 'the secret'}})
    assert 'secret' not in str(caught.value)
    settings = load(cloud={'image_temp_url': {'cache_arguments': {'host': 'secret'}}})
    assert 'secret' not in repr(settings)


def test_a_mapping_of_cache_arguments_keeps_its_types():
    arguments = {'thread_local_lock': False, 'sentinels': [['one', 26379], ['two', 26379]],
                 'connection_kwargs': {'client_name': 'a,b', 'health_check_interval': 30},
                 'url': 'redis://user@cache', 'a': 'b@c:d', 'db': '3'}
    found = load(cloud={'image_temp_url': {'cache_arguments': arguments}}).cache_arguments
    assert dict(found) == arguments and found == tuple(arguments.items())


@pytest.mark.parametrize('arguments', [
    {'host': 'cache', 'password': 'the secret'}, 'host=cache,PASSWORD=the secret',
    {'url': 'redis://:the secret@cache:6379/0'}, 'url=rediss://user:the/secret,x@cache',
    {'url': 'redis://cache?password=the secret'}, {'ssl_password': 'the secret'},
    {'sentinel_kwargs': {'username': 'u', 'password': 'the secret'}},
])
@pytest.mark.parametrize('in_environment', [True, False])
def test_a_password_may_not_stand_in_the_cache_arguments(arguments, in_environment):
    if in_environment:
        given = {'environment': {'OSC_IMGURL_CACHE_ARGUMENTS': str(arguments)}}
    else:
        given = {'cloud': {'image_temp_url': {'cache_arguments': arguments}}}
    with pytest.raises(InvalidParameterValue, match='OpenStackClient prints') as caught:
        load(**given)
    assert 'cache_password_file' in str(caught.value) and 'secret' not in str(caught.value)


@pytest.mark.parametrize('arguments', [
    {'url': 'redis://user@cache:6379/0'}, {'url': 'unix:///run/redis@1.sock'},
    'url=10.0.0.1:11211,port=1', {'ssl_ca_certs': '/etc/passwords/ca.pem'},
])
def test_cache_arguments_without_a_password(arguments):
    assert load(cloud={'image_temp_url': {'cache_arguments': arguments}}).cache_arguments


def test_the_cache_password_comes_from_a_file(tmp_path, caplog):
    path = tmp_path / 'password'
    path.write_text('the secret\n')
    path.chmod(0o600)
    settings = load(cloud={'image_temp_url': {'cache_password_file': str(path)}})
    assert settings.cache_password == 'the secret' and 'secret' not in repr(settings)
    assert str(settings.sources['cache_password']) == (
        'image_temp_url.cache_password_file in clouds.yaml')
    assert not caplog.records
    path.chmod(0o604)
    load(environment={'OSC_IMGURL_CACHE_PASSWORD_FILE': str(path)})
    assert f'Other users can read the cache password file {path}' in caplog.text
    for content in (b'', b'the\nsecret', b'the\tsecret', b'the secret \xff'):
        path.write_bytes(content)
        with pytest.raises(InvalidParameterValue, match='Invalid cache_password') as caught:
            load(environment={'OSC_IMGURL_CACHE_PASSWORD_FILE': str(path)})
        assert str(path) in str(caught.value) and 'secret' not in str(caught.value)


def test_duration_and_start_delay():
    with pytest.raises(InvalidParameterValue, match='shorter than the expected') as caught:
        Settings(duration=60, expected_download_start_delay=61)
    assert caught.value.names == ('duration',)
    Settings(duration=60, expected_download_start_delay=60)


@pytest.mark.parametrize('url', ['http://rgw', 'http://rgw/', 'http://rgw/swift',
                                 'http://rgw/swift/'])
def test_the_path_of_a_gateway(url):
    assert gateway_endpoint(url) == 'http://rgw/swift'
    settings = load({'endpoint_url': url, 'endpoint_type': 'radosgw'})
    assert settings.endpoint_url == 'http://rgw/swift'


def test_another_path_is_no_gateways():
    with pytest.raises(InvalidParameterValue, match='it must be /swift or empty'):
        load({'endpoint_url': 'http://rgw/other', 'endpoint_type': 'radosgw'})


@pytest.mark.parametrize('given', [
    {'environment': {'OSC_IMGURL_KEY': 'the secret'}},
    {'cloud': {'image_temp_url': {'key': 'the secret'}}},
    {'environment': {'OSC_IMGURL_CACHE_PASSWORD': 'the secret'}},
    {'cloud': {'image_temp_url': {'cache_password': 'the secret'}}},
])
def test_a_raw_secret_is_refused_without_being_shown(given):
    with pytest.raises(InvalidParameterValue, match='OpenStackClient prints') as caught:
        load(**given)
    assert 'the secret' not in str(caught.value)


@pytest.mark.parametrize('value', ['1', ''])
def test_the_former_prefix_is_refused(value):
    with pytest.raises(InvalidParameterValue, match='OpenStackClient turns unknown') as caught:
        load(environment={'OS_IMAGE_TEMP_URL_DURATION': value})
    assert str(caught.value).endswith('Unset it, and set OSC_IMGURL_DURATION instead.')


@pytest.mark.parametrize(('name', 'remedy'), [
    ('KEY', 'Unset it, and put the key into a file that OSC_IMGURL_KEY_FILE names.'),
    ('CACHE_PASSWORD', 'Unset it, and put the cache password into a file that'
                       ' OSC_IMGURL_CACHE_PASSWORD_FILE names.'),
    ('KEY_FILE', 'Unset it, and set OSC_IMGURL_KEY_FILE instead.'), ('X', 'Unset it.')])
def test_what_to_set_in_place_of_a_former_variable(name, remedy):
    with pytest.raises(InvalidParameterValue) as caught:
        load(environment={f'OS_IMAGE_TEMP_URL_{name}': 'the secret'})
    assert str(caught.value).endswith(f' then. {remedy}') and 'secret' not in str(caught.value)


def test_unknown_names_are_refused():
    with pytest.raises(InvalidParameterValue, match='DURATOIN names no setting'):
        load(environment={'OSC_IMGURL_DURATOIN': '1'})
    with pytest.raises(InvalidParameterValue, match=r'image_temp_url\.seed in clouds\.yaml names'):
        load(cloud={'image_temp_url': {'seed': 1}})
    with pytest.raises(InvalidParameterValue, match='is not a mapping'):
        load(cloud={'image_temp_url': 'duration'})


@pytest.mark.parametrize(('content', 'key'), [
    (b'a key', b'a key'), (b'a key\n', b'a key'), (b'a key\r\n', b'a key'),
    ('ü %41\n'.encode(), 'ü %41'.encode()), ('Å\u3000à'.encode(), 'Å\u3000à'.encode()),
    (b'a key\n\r\n\n', b'a key'), (b'a\xff', b'a\xff'),
])
def test_key_file(tmp_path, content, key, caplog):
    path = tmp_path / 'key'
    path.write_bytes(content)
    path.chmod(0o600)
    assert load({'key_file': str(path)}).key == Key(key)
    assert not caplog.records
    path.chmod(0o640)
    assert load({'key_file': str(path)}).key == Key(key)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert f'chmod 600 {path}' in caplog.text


@pytest.mark.parametrize('give', [
    lambda path: {'options': {'key_file': path}},
    lambda path: {'environment': {'OSC_IMGURL_KEY_FILE': path}},
    lambda path: {'cloud': {'image_temp_url': {'key_file': path}}},
    lambda path: {'cloud': {'image_temp_url': {'stores': {'west': {'key_file': path}}}}},
    lambda path: {'cloud': {'image_temp_url': {'cache_password_file': path}}}])
def test_a_tilde_is_the_home(tmp_path, monkeypatch, give):
    monkeypatch.setenv('HOME', str(tmp_path))
    (tmp_path / 'secret').write_text('a secret')
    (tmp_path / 'secret').chmod(0o600)
    settings = load(**give('~/secret'))
    west = settings.stores.get('west', settings)
    assert Key(b'a secret') == west.key or settings.cache_password == 'a secret'
    with pytest.raises(InvalidParameterValue, match=f'file {tmp_path}/none cannot be read'):
        load(**give('~/none'))


@pytest.mark.parametrize(('mode', 'able'), [
    (0o640, 'read'), (0o604, 'read'), (0o620, 'change'), (0o602, 'change'),
    (0o666, 'read and change')])
def test_a_key_file_that_others_can_use_costs_a_warning(tmp_path, caplog, mode, able):
    path = tmp_path / 'key'
    path.write_text('a key')
    path.chmod(mode)
    load({'key_file': str(path)})
    record, = caplog.records
    assert record.getMessage().startswith(f'Other users can {able} the key file {path}')
    assert record.getMessage().endswith(f'chmod 600 {path}')


@pytest.mark.parametrize(('mode', 'able', 'better'), [
    (0o644, 'read', 640), (0o662, 'change', 660), (0o666, 'read and change', 660)])
def test_a_config_file_with_a_key_that_others_can_use_costs_a_warning(
        config_file, caplog, mode, able, better):
    path = config_file(IRONIC)
    pathlib.Path(path).chmod(mode)
    load(config_files=[path])
    record, = caplog.records
    assert record.getMessage().startswith(f'Other users can {able} the config file {path}')
    assert record.getMessage().endswith(f'chmod {better} {path}')


def test_config_files_that_cost_no_warning(config_file, caplog):
    """One that a service reads as its group, and one that holds no key."""
    path = config_file(IRONIC)
    pathlib.Path(path).chmod(0o660)
    load(config_files=[path])
    path = config_file('[glance]\nswift_container = images\n')
    pathlib.Path(path).chmod(0o666)
    load(config_files=[path])
    assert not caplog.records


BAD_KEYS = [b'', b'\n', b'the\nsecret', b'the\0secret', b' the secret', b'the secret ',
            b'the secret \n', b'the\tsecret', b'the secret\t', b'the\rsecret', b'the\x7fsecret',
            b'the\x1bsecret', 'the\x85secret'.encode()]


@pytest.mark.parametrize('content', BAD_KEYS, ids=repr)
def test_bad_keys_on_standard_input(monkeypatch, content):
    monkeypatch.setattr('sys.stdin', io.TextIOWrapper(io.BytesIO(content)))
    with pytest.raises(InvalidParameterValue, match='on standard input') as caught:
        load({'key_file': '-'})
    assert str(caught.value).startswith('Invalid key (on standard input): ')
    assert 'secret' not in str(caught.value)


@pytest.mark.parametrize('content', BAD_KEYS, ids=repr)
def test_bad_key_files(tmp_path, content):
    path = tmp_path / 'key'
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(InvalidParameterValue) as caught:
        load({'key_file': str(path)})
    assert str(caught.value).startswith(f'Invalid key (in {path}): ')
    assert 'secret' not in str(caught.value)


def test_key_on_standard_input(monkeypatch):
    monkeypatch.setattr('sys.stdin', io.TextIOWrapper(io.BytesIO(b'a key\n')))
    settings = load({'key_file': '-'})
    assert settings.key == Key(b'a key')
    assert settings.sources['key'] == Source(Kind.OPTION, 'key_file')


def test_a_given_key_file_overrules_the_key_of_a_config_file(tmp_path, config_file):
    path = tmp_path / 'key'
    path.write_text('a key')
    path.chmod(0o600)
    assert load({'key_file': str(path)}, config_files=[config_file(IRONIC)]).key == Key(b'a key')


@pytest.mark.parametrize('text', ['[glance]\nswift_temp_url_key the secret\n', 'no group = 1'])
def test_a_broken_config_file_is_not_quoted(config_file, text):
    with pytest.raises(InvalidParameterValue, match='a line that is not') as caught:
        load(config_files=[config_file(text)])
    assert 'secret' not in str(caught.value)


@pytest.mark.parametrize('text', [
    '[DEFAULT]\nenabled_backends = a', '[DEFAULT]\nenabled_backends = a:swift,a:swift',
    '[DEFAULT]\nenabled_backends = $secret', '[glance_store]\ndefault_backend = $secret',
    '[DEFAULT]\nsecret = \udcff'])
def test_a_config_file_with_bad_stores(config_file, text):
    with pytest.raises(InvalidParameterValue, match='cannot be read') as caught:
        load(config_files=[config_file(text.encode(errors='surrogateescape'))])
    assert 'secret' not in str(caught.value)


def test_config_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InvalidParameterValue, match='does not exist'):
        load(config_files=[str(tmp_path / 'none')])
    with pytest.raises(InvalidParameterValue, match='does not exist'):
        load(config_files=[''])
    (tmp_path / 'x.conf').mkdir()
    with pytest.raises(InvalidParameterValue, match=r'x\.conf cannot be read'):
        load(config_files=[str(tmp_path)])


@pytest.mark.parametrize('text', [
    '" the secret"', '"the secret "', 'the\n  secret', 'the\tsecret', 'the $secret'])
def test_a_bad_key_in_a_config_file_is_not_shown(config_file, text):
    with pytest.raises(InvalidParameterValue) as caught:
        load(config_files=[config_file(f'[glance]\nswift_temp_url_key = {text}\n')])
    assert str(caught.value).startswith('Invalid key ([glance]swift_temp_url_key in ')
    assert 'secret' not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_dollar_in_the_key_of_a_config_file(config_file):
    settings = load(config_files=[config_file('[glance]\nswift_temp_url_key = a$$b\n')])
    assert settings.key == Key(b'a$b')


def test_no_key_in_a_repr(config_file):
    assert 'the secret' not in repr(load(config_files=[config_file(IRONIC)]))


def test_the_table_holds_all_that_a_setting_needs():
    for setting in TABLE:
        assert setting.help and setting.shown_default
        assert option_of(setting) or setting.name in (
            'key', 'allowed_direct_url_schemes', 'cache_backend', 'cache_arguments',
            'cache_password_file', 'cache_password', 'num_retries', 'timeout', 'copy_container',
            'multi_tenant')
    assert BY_NAME['key'].environment is None and option_of(BY_NAME['key']) is None
    assert BY_NAME['duration'].environment == 'OSC_IMGURL_DURATION'
