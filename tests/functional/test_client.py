"""The library on a real cloud, as its manual shows it."""

import time

import pytest

from osc_imgurl import Client, ImgurlError, Settings, URLOptions

from .conftest import download


@pytest.fixture
def client(cloud):
    return Client(cloud.sdk().session)


@pytest.fixture(scope='module')
def tagged(cloud, data):
    return {cloud.upload(f'deploy {number}', data, tags=['deploy']) for number in range(3)}


def test_ten_lines(client, image, tagged, data, capsys):
    made = client.create('cirros', URLOptions(duration='2h'))
    assert abs(made.temp_url.expires - time.time() - 7200) < 60
    for each in client.create_many(client.images(tag='deploy')):
        print(each.url or each.error)
    assert client.check(made.url).first_failure is None
    assert download(made.url) == data
    urls = capsys.readouterr().out.split()
    assert {url.partition('?')[0].rpartition('/')[2] for url in urls} == tagged


def test_named_images_and_one_that_is_not_there(client, image):
    made, lost = client.create_many(client.images(image, 'nobody'))
    assert made.url and made.error is None
    assert lost.url is None and isinstance(lost.error, ImgurlError)


def test_what_is_wrong_with_a_url(client, cloud, image):
    url = client.create(image).url
    with pytest.raises(ImgurlError):
        client.check(url.replace('temp_url_sig=', 'temp_url_sig=0'))
    report = client.check(url.replace('/glance/', '/elsewhere/'))
    assert report.first_failure.check == 'container'


def test_an_image_handed_over(client, image):
    text, = client.export([image], 'ironic')
    assert '"image_source"' in text


def test_where_an_image_is(client, image):
    assert (client.location(image).container, client.location(image).object) == ('glance', image)


def test_a_client_asks_anew_in_each_call(cloud, image):
    """A long-lived one sees a key that was rotated."""
    client = Client(cloud.sdk().session, Settings(check=False))
    before = client.create(image)
    cloud.set_key('another key')
    after = client.create(image)
    cloud.set_key('a key')
    assert before.temp_url.signature != after.temp_url.signature
