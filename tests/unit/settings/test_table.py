"""The table of settings, and what no setting shows alone."""

import dataclasses

import pytest

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.settings import table
from osc_imgurl.settings.sources import load
from osc_imgurl.settings.table import BY_NAME, TABLE, Kind, Settings, Source, for_store
from osc_imgurl.tempurl.signing import Key

# Of Ironic's [glance] group; the names are what its ironic.conf is read by.
IRONICS = {
    'key': 'swift_temp_url_key', 'duration': 'swift_temp_url_duration',
    'expected_download_start_delay': 'swift_temp_url_expected_download_start_delay',
    'endpoint_url': 'swift_endpoint_url', 'endpoint_type': 'temp_url_endpoint_type',
    'api_version': 'swift_api_version', 'account': 'swift_account',
    'account_prefix': 'swift_account_prefix', 'container': 'swift_container',
    'multiple_containers_seed': 'swift_store_multiple_containers_seed',
    'allowed_direct_url_schemes': 'allowed_direct_url_schemes',
    'cache_enabled': 'swift_temp_url_cache_enabled', 'num_retries': 'num_retries',
    'timeout': 'timeout',
}
DEFAULTS = {
    'duration': 1200, 'expected_download_start_delay': 0, 'api_version': 'v1',
    'container': 'glance', 'multiple_containers_seed': 0, 'multi_tenant': False,
    'allowed_direct_url_schemes': (), 'cache_enabled': False, 'cache_arguments': (), 'align': 0,
    'num_retries': 2, 'timeout': 60, 'copy': False, 'revocable': False,
    'copy_unverified': False,
}
# What has an option with a value, and what that is called.
METAVARS = {
    'key_file': '<path>', 'duration': '<duration>',
    'expected_download_start_delay': '<duration>', 'endpoint_url': '<url>',
    'endpoint_type': '{swift,radosgw}', 'api_version': '<version>', 'account': '<account>',
    'account_prefix': '<prefix>', 'container': '<container>', 'store': '<store>',
    'multiple_containers_seed': '<n>', 'digest': '{sha1,sha256,sha512}', 'align': '<duration>',
}


def column(name):
    """What stands in a column of the table, by setting, where something does."""
    return {setting.name: value for setting in TABLE if (value := getattr(setting, name))}


def test_the_table():
    assert column('ironic') == IRONICS
    assert column('glance') == {
        'container': 'swift_store_container',
        'multiple_containers_seed': 'swift_store_multiple_containers_seed',
        'multi_tenant': 'swift_store_multi_tenant'}
    assert column('s3') == {'container': 's3_store_bucket'}
    assert column('deploy') == {'endpoint_type': 'object_store_endpoint_type'}
    assert column('metavar') == METAVARS
    assert column('switch') == {
        'cache_enabled': 'cache', 'check': 'check', 'copy': 'copy',
        'copy_unverified': 'copy-unverified', 'revocable': 'revocable'}
    assert column('file') == {'key': 'key_file', 'cache_password': 'cache_password_file'}
    assert list(BY_NAME) == [setting.name for setting in TABLE]
    assert set(BY_NAME) == {field.name for field in dataclasses.fields(Settings)} - {
        'sources', 'stores', 's3'}
    assert {setting.name for setting in TABLE if setting.of_store} == {
        'key_file', 'endpoint_url', 'endpoint_type', 'api_version', 'account', 'account_prefix',
        'container', 'multiple_containers_seed', 'multi_tenant', 'digest'}


def test_secrets_stand_neither_in_the_environment_nor_in_clouds_yaml():
    assert set(column('secret')) == {'key', 'cache_arguments', 'cache_password'}
    assert {setting.name for setting in TABLE if not setting.everywhere} == {
        'key', 'cache_password'}
    assert {setting.name for setting in TABLE if setting.environment is None} == {
        'key', 'cache_password'}
    assert BY_NAME['container'].environment == 'OSC_IMGURL_CONTAINER'


def test_the_defaults():
    settings = Settings()
    assert {name: value for name in BY_NAME
            if (value := getattr(settings, name)) is not None} == DEFAULTS
    assert settings.sources == {}
    for name, shown in column('shown_default').items():
        if DEFAULTS.get(name):
            assert shown == str(DEFAULTS[name])
    assert {name: BY_NAME[name].shown_default for name, value in DEFAULTS.items()
            if not value} == {
        'expected_download_start_delay': '0', 'multiple_containers_seed': '0',
        'allowed_direct_url_schemes': 'none', 'cache_enabled': 'off', 'cache_arguments': 'none',
        'align': 'off', 'copy': 'off', 'copy_unverified': 'off', 'revocable': 'off',
        'multi_tenant': 'tried if the other container does not exist'}


@pytest.mark.parametrize(('name', 'text', 'value'), [
    ('key_file', 'a/b', 'a/b'), ('duration', '1', 1), ('expected_download_start_delay', '0', 0),
    ('endpoint_type', 'radosgw', 'radosgw'), ('account_prefix', '', ''), ('digest', 'sha1', 'sha1'),
    ('cache_backend', 'a.b', 'a.b'), ('align', '0', 0), ('check', 'no', False)])
def test_what_reads_a_setting(name, text, value):
    assert BY_NAME[name].parse(text) == value


@pytest.mark.parametrize(('name', 'text'), [
    ('key_file', ''), ('duration', '0'), ('endpoint_type', 'ceph'), ('account', 'a/b'),
    ('container', ''), ('cache_backend', ''), ('cache_password_file', ''), ('digest', 'md5')])
def test_what_a_setting_cannot_be(name, text):
    with pytest.raises(ValueError, match='expected'):
        BY_NAME[name].parse(text)


def test_a_copy_cannot_be_revoked_by_itself():
    with pytest.raises(InvalidParameterValue) as caught:
        Settings(copy=True, revocable=True)
    assert caught.value.names == ('copy', 'revocable')


def test_sources():
    source = Source(Kind.CLOUD, 'image_temp_url.account in clouds.yaml')
    assert str(source) == 'image_temp_url.account in clouds.yaml'
    settings = Settings(account='a', sources={'account': source})
    assert settings.given_by('container', 'account') == [source]
    assert settings.given_by('container') == []
    # Where a setting comes from makes no other setting of it.
    assert settings == Settings(account='a')


def test_what_a_program_gives_counts_as_an_option():
    option = Source(Kind.PROGRAM, 'account')
    settings = Settings(account='a', container='glance')
    assert settings.given_explicitly('account', 'container') == [option]
    assert Settings(endpoint_url='http://h/v1/a').given_by('account') == [
        Source(Kind.PROGRAM, 'endpoint_url')]
    assert dataclasses.replace(settings, account='b').given_by('account') == [option]
    assert dataclasses.replace(settings, account=None).given_by('account') == []
    source = Source(Kind.CLOUD, 'clouds.yaml')
    settings = Settings(account='a', sources={'account': source, 'container': source})
    assert settings.given_by('account', 'container') == [source, source]


def test_what_a_program_gives_for_a_store_is_about_all_its_images():
    settings = Settings(account='a', stores={'west': Settings(account='a', container='west')})
    own = for_store(settings, 'west')
    assert own.given_by('container') == [Source(Kind.STORE, 'stores.west.container')]
    # The same is given for all stores.
    assert own.given_explicitly('account', 'container') == [Source(Kind.PROGRAM, 'account')]


@pytest.mark.parametrize('settings', [
    Settings(), Settings(duration=60, expected_download_start_delay=60),
    Settings(endpoint_url='http://h/x', endpoint_type='swift'), Settings(endpoint_url='http://h/x'),
    Settings(endpoint_type='radosgw')])
def test_settings_that_go_together(settings):
    assert dataclasses.replace(settings) == settings


def test_settings_that_do_not():
    with pytest.raises(InvalidParameterValue, match=r'\(60 s\) is shorter than .* \(61 s\)'):
        Settings(duration=60, expected_download_start_delay=61)
    with pytest.raises(InvalidParameterValue, match='it must be /swift or empty'):
        Settings(endpoint_url='http://rgw/x', endpoint_type='radosgw')


@pytest.mark.parametrize('name', DEFAULTS)
def test_what_has_a_default_is_not_looked_up(name):
    with pytest.raises(InvalidParameterValue, match=f'Invalid {name}'):
        Settings(**{name: None})


def test_a_gateways_endpoint_is_completed():
    assert Settings(endpoint_url='http://rgw', endpoint_type='radosgw') == Settings(
        endpoint_url='http://rgw/swift', endpoint_type='radosgw')


@pytest.mark.parametrize(('name', 'value', 'why'), [
    ('multiple_containers_seed', -1, 'expected an integer from 0 to 32'),
    ('multiple_containers_seed', 33, 'expected an integer from 0 to 32'),
    ('duration', 0, 'expected a time of at least 1 s'),
    ('duration', True, 'expected a time of at least 1 s'),
    ('expected_download_start_delay', -1, 'expected a time of at least 0 s'),
    ('timeout', 86_401, 'expected a time of at most 86400 s'),
    ('num_retries', -1, 'expected a number of retries'),
    ('endpoint_type', 'ceph', 'expected one of swift, radosgw'),
    ('endpoint_url', 'ftp://h', 'expected a URL such as'),
    ('endpoint_url', 'http://h/v1/v1/a', 'expected a URL with one API version'),
    ('container', 'a/b', 'expected a name without slashes'), ('account', '', 'expected a value'),
    ('digest', 'md5', 'expected one of sha1'), ('copy', 2, 'expected true or false')])
def test_a_value_that_a_setting_cannot_be_in_python_or_as_text(name, value, why):
    with pytest.raises(InvalidParameterValue, match=f'Invalid {name} {value!r}: {why}'):
        Settings(**{name: value})
    with pytest.raises(InvalidParameterValue, match=rf'Invalid {name} .* \(an option\): {why}'):
        load({name: str(value)}, name_option=lambda name: 'an option')


@pytest.mark.parametrize('secret', [
    {'key': Key(b'secret ')}, {'cache_password': 'secret\n'},
    {'cache_arguments': (('password', 'secret'),)}])
def test_no_secret_is_in_the_error(secret):
    with pytest.raises(InvalidParameterValue) as caught:
        Settings(**secret)
    assert 'secret' not in str(caught.value)


@pytest.mark.parametrize(('name', 'value', 'text', 'made'), [
    ('endpoint_url', 'https://h/', 'https://h/', 'https://h'),
    ('endpoint_url', 'HTTPS://h/v1/AUTH_x', 'HTTPS://h/v1/AUTH_x', 'https://h'),
    ('multiple_containers_seed', 32, '32', 32), ('duration', 5400, '1h30m', 5400),
    ('copy', True, 'yes', True), ('allowed_direct_url_schemes', ('file', 'http'), 'file,http',
                                  ('file', 'http')),
    ('cache_arguments', (('port', 1),), 'port=1', (('port', 1),))])
def test_python_and_text_make_the_same_value(name, value, text, made):
    assert getattr(Settings(**{name: value}), name) == made
    assert getattr(load({name: text}), name) == made


def test_a_changed_copy_is_made_in_no_time(monkeypatch):
    """One is made for each image; what has its default is not parsed again."""
    settings, parsed = Settings(container='x', duration=60), []
    monkeypatch.setattr(table, 'TABLE', [
        dataclasses.replace(setting, parse=lambda value, setting=setting: (
            parsed.append(setting.name), setting.parse(value))[1]) for setting in TABLE])
    assert dataclasses.replace(settings, store='west').store == 'west'
    assert parsed == ['duration', 'container', 'store']
    with pytest.raises(InvalidParameterValue, match='Invalid multiple_containers_seed False'):
        Settings(multiple_containers_seed=False)
    with pytest.raises(InvalidParameterValue, match='Invalid num_retries -1'):
        dataclasses.replace(settings, num_retries=-1)
