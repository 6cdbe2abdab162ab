"""Ironic's image service on a real Glance, and clouds that have no temporary URLs."""

import hashlib
import io
import sqlite3

import pytest

from osc_imgurl import errors
from osc_imgurl.glance.image_service import ImageService


@pytest.fixture(scope='module')
def cloud(make_cloud):
    return make_cloud('--no-tempurl')


@pytest.fixture(scope='module')
def images(cloud):
    return ImageService(cloud.sdk().session)


@pytest.fixture(scope='module')
def big(cloud):
    """An image of more than two chunks."""
    content = bytes(range(256)) * 10_000
    return cloud.upload('big', content), content


def test_show_and_detail(images, big):
    image = images.show('big')
    assert (image.id, image.status) == (big[0], 'active')
    assert image.properties['size'] == len(big[1])
    assert images.show(f'glance://{big[0]}') == image
    assert image in list(images.detail(name='big'))
    assert list(images.detail(name='nobody')) == []


def test_detail_goes_through_all_pages(images, big, monkeypatch):
    monkeypatch.setattr('osc_imgurl.glance.client.FIRST_PAGE_SIZE', 1)
    monkeypatch.setattr('osc_imgurl.glance.client.PAGE_SIZE', 2)
    made = {images.create({'name': 'paged', 'disk_format': 'raw', 'container_format': 'bare'}).id
            for _ in range(5)}
    found = [image.id for image in images.detail(name='paged', sort='created_at:asc')]
    assert len(found) == 5 and set(found) == made
    assert [image.id for image in images.detail(
        name='paged', sort='created_at:asc', limit=3, marker=found[0])] == found[1:4]
    for image_id in made:
        images.delete(image_id)


def test_show_wants_an_active_image(images):
    image = images.create({'name': 'empty'})
    with pytest.raises(errors.ImageUnacceptable, match='is queued'):
        images.show(image.id)
    with pytest.raises(errors.ImageUnacceptable, match='is queued'):
        images.download(image.id, io.BytesIO())


def test_location(images, big):
    assert images.location('big').url == f'swift+config://ref1/glance/{big[0]}'
    assert [place.store for place in images.locations(big[0])] == ['swift1']


def test_create_update_delete(images, data):
    image = images.create(
        {'name': 'new', 'disk_format': 'raw', 'container_format': 'bare', 'color': 'blue'},
        io.BytesIO(data))
    assert (image.status, image.properties['color']) == ('active', 'blue')
    image = images.update('new', {'name': 'newer', 'shape': 'round'})
    assert (image.name, image.properties['color'], image.properties['shape']) == (
        'newer', 'blue', 'round')
    image = images.update(image.id, {'shape': 'square'}, purge_props=True)
    assert (image.name, image.properties['shape']) == ('newer', 'square')
    assert 'color' not in image.properties
    images.delete('newer')
    with pytest.raises(errors.ImageNotFound, match='No image has the ID'):
        images.show(image.id)


def test_update_uploads(images, data):
    image = images.create({'name': 'late', 'disk_format': 'raw', 'container_format': 'bare'})
    assert images.update(image.id, {}, io.BytesIO(data)).status == 'active'


def test_what_glance_refuses(images, cloud, big):
    with pytest.raises(errors.InvalidParameterValue, match="'floppy' is not one of"):
        images.create({'name': 'x', 'disk_format': 'floppy'})
    with pytest.raises(errors.InvalidParameterValue, match='refuses this: HTTP '):
        images.create({'name': 'x', 'id': big[0]})
    with pytest.raises(errors.ImageNotAuthorized, match='does not allow this'):
        ImageService(cloud.sdk('demo').session).delete(big[0])
    with pytest.raises(errors.ImageNotAuthorized):
        ImageService(cloud.sdk('demo').session).locations(big[0])


def test_download_in_chunks(images, big):
    class Chunks(list):
        write = list.append

    chunks = Chunks()
    images.download('big', chunks)
    assert b''.join(chunks) == big[1]
    assert max(map(len, chunks)) == 1024 * 1024


def test_download_of_nothing(cloud, images):
    """As in Ironic it fails, from Glance and from a file."""
    for store in ('swift1', 'file1'):
        image_id = cloud.upload('empty', b'', store=store)
        assert images.show(image_id).size == 0
        direct = ImageService(cloud.sdk().session, allowed_direct_url_schemes=['file'])
        for service in (images, direct):
            with pytest.raises(errors.ImageDownloadFailed, match=rf'\({image_id}\) has no data'):
                service.download(image_id, io.BytesIO())


def test_download_from_the_file_itself(cloud, data, tmp_path):
    image_id = cloud.upload('filed', data, store='file1')
    path = cloud.folder / 'glance/images' / image_id
    # Not the image's data any more: who reads the file is told so, who asks Glance too.
    path.write_bytes(b'other')
    session = cloud.sdk().session
    direct = ImageService(session, allowed_direct_url_schemes=['file'])
    written = io.BytesIO()
    with pytest.raises(errors.ImageDownloadFailed, match='is not what its sha512 says'):
        direct.download(image_id, written)
    assert written.getvalue() == b'other'
    path.write_bytes(data)
    written = io.BytesIO()
    direct.download(image_id, written)
    assert written.getvalue() == data
    path.unlink()
    with pytest.raises(errors.ImageDownloadFailed, match='cannot be read from'):
        direct.download(image_id, io.BytesIO())


@pytest.mark.parametrize('algorithm', ['sha512', None])
def test_download_sees_damaged_data(cloud, images, data, algorithm):
    """By os_hash_value, and by checksum where an old image has nothing else."""
    image_id = cloud.upload('damaged', data)
    with sqlite3.connect(cloud.folder / 'glance/glance.db', timeout=30) as database:
        if algorithm:
            value = hashlib.sha512(b'other').hexdigest()
            database.execute('UPDATE images SET os_hash_value = ? WHERE id = ?',
                             (value, image_id))
        else:
            database.execute('UPDATE images SET os_hash_value = NULL, os_hash_algo = NULL,'
                             ' checksum = ? WHERE id = ?', ('0' * 32, image_id))
    with pytest.raises(errors.ImageDownloadFailed, match=f'its {algorithm or "md5"} says'):
        images.download(image_id, io.BytesIO())


def test_a_swift_without_tempurl(cloud, big):
    cloud.set_key('a key')
    assert 'without the tempurl middleware' in cloud.refused('big')


def test_a_cloud_without_object_store(cloud, big):
    identity = cloud.sdk('admin').identity
    identity.delete_service(identity.find_service('object-store'))
    line = cloud.refused('big')
    assert 'There is no object-store in the catalog' in line
    # With all told, nothing of it is needed but a cluster that says what it takes.
    line = cloud.refused('big', '--endpoint-url', 'http://127.0.0.1:1', '--account', 'AUTH_x',
                         '--key-file', '-', stdin='a key')
    assert 'The object store at http://127.0.0.1:1 cannot be reached' in line
    row = cloud.create('big', '--endpoint-url', 'http://127.0.0.1:1', '--account', 'AUTH_x',
                       '--key-file', '-', '--digest', 'sha1', stdin='a key')
    assert row['url'].startswith(f'http://127.0.0.1:1/v1/AUTH_x/glance/{big[0]}?')
