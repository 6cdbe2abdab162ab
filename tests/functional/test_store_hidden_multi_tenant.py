"""A multi-tenant store that shows no locations, as by Glance's default."""

import pytest

from .conftest import download

WARNING = 'There is no container glance in account {account}: images are taken from containers of'


@pytest.fixture(scope='module')
def cloud(make_cloud):
    cloud = make_cloud('--store', 'multi-tenant', '--hide-locations')
    cloud.set_key('the key of demo', cloud='demo')
    return cloud


@pytest.fixture(scope='module')
def images(cloud, data):
    return [cloud.upload(name, data, cloud='demo', visibility='shared')
            for name in ('one', 'two')]


@pytest.fixture
def warning(cloud):
    return WARNING.format(account=f'AUTH_{cloud.sdk("demo").session.get_project_id()}')


def urls(cloud, *command, **options):
    """Return the URLs that a command prints, and its warnings."""
    result = cloud.openstack('image', 'temp', 'url', *command, '-f', 'value', '-c', 'url',
                             cloud='demo', **options)
    assert result.code == 0, result.text
    return result.stdout.split(), result.stderr


def test_the_container_that_is_there(cloud, images, data, warning):
    for name, image in zip(('one', 'two'), images, strict=True):
        (url,), said = urls(cloud, 'create', name)
        assert f'/glance_{image}/{image}?' in url and download(url) == data
        assert said.count(warning) == 1 and 'multi_tenant: true in clouds.yaml' in said
    found, said = urls(cloud, 'list', '--check')
    assert [download(url) for url in found] == [data, data]
    assert said.count(warning) == 1


def test_check(cloud, images):
    image = images[0]
    (url,), _ = urls(cloud, 'create', image)
    for subject in image, url:
        rows = cloud.rows('image', 'temp', 'url', 'check', subject, cloud='demo')
        assert {each['result'] for each in rows} == {'pass', 'skipped'}
    result = cloud.openstack('image', 'temp', 'url', 'check',
                             url.replace(f'/glance_{image}/', '/glance/'), cloud='demo')
    assert f'the object is in container glance_{image}, and the URL says glance' in result.stdout


def test_glances_own_config_file(cloud, images, data):
    config = ['--config-file', str(cloud.folder / 'glance/glance-api.conf')]
    for image in images:
        (url,), said = urls(cloud, 'create', image, *config)
        assert (download(url), said) == (data, '')
        row = cloud.rows('image', 'location', 'show', image, *config, cloud='demo')
        assert row['container'] == row['container_by_rule'] == f'glance_{image}'
    env = cloud.config(image_temp_url={'multi_tenant': True})
    assert urls(cloud, 'create', images[0], env=env)[1] == ''


def test_an_image_of_others(cloud, data, warning):
    image = cloud.upload('of others', data, cloud='admin')
    line = cloud.refused(image, cloud='demo')
    assert f'{warning.partition(":")[0]}, where the image should be' in line
    assert download(cloud.create(image, '--copy', cloud='demo')['url']) == data
    cloud.sdk('admin').image.delete_image(image)
