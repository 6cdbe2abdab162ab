"""One transient failure does not fail a command; a real proxy makes the failures."""

import contextlib
import time

import pytest

from .conftest import download
from .proxy import proxy
from .silent import silent_server

BUSY, TOO_MANY = (503, {}), (429, {'Retry-After': '2'})


@pytest.fixture
def servers(cloud):
    """Glance and Swift behind proxies, and what makes commands go through them."""
    sdk = cloud.sdk()
    storage_url = sdk.object_store.get_endpoint()
    swift_url, _, path = storage_url.partition('/v1/')
    with contextlib.ExitStack() as stack:
        glance = stack.enter_context(
            proxy(sdk.session.get_endpoint(service_type='image').rstrip('/')))
        swift = stack.enter_context(proxy(swift_url))
        env = cloud.config(image_endpoint_override=glance.url, api_timeout=5,
                           object_store_endpoint_override=f'{swift.url}/v1/{path}')
        # The account is asked at the same time as the container.
        swift.only = '/glance'
        yield {'glance': glance, 'swift': swift}, env


def asked(proxy):
    """Return the requests that the proxy's plan is for."""
    return [each for each in proxy.requests if proxy.only in each]


@pytest.mark.parametrize('server', ['glance', 'swift'])
@pytest.mark.parametrize('step', ['drop', BUSY, TOO_MANY])
def test_one_failure_fails_no_command(cloud, image, data, servers, server, step):
    proxies, env = servers
    proxies[server].plan = [step]
    row = cloud.create('cirros', env=env)
    assert download(row['url']) == data
    assert proxies[server].plan == []
    first, second = asked(proxies[server])[:2]
    assert first == second
    if step == TOO_MANY:
        # No time is too long for this; a shorter one would not be what the server asked for.
        moments = [moment for each, moment in zip(proxies[server].requests,
                                                  proxies[server].moments, strict=True)
                   if proxies[server].only in each]
        assert moments[1] - moments[0] >= 2


@pytest.mark.parametrize('server', ['glance', 'swift'])
@pytest.mark.parametrize('after', ['3600', '99999999999999999999', 'tomorrow', '-1',
                                   'Fri, 31 Dec 9999 23:59:59 GMT'])
def test_nobody_waits_as_long_as_a_server_likes(cloud, image, servers, server, after):
    proxies, env = servers
    proxies[server].plan = [(503, {'Retry-After': after})]
    cloud.create(image, env=env)
    first, second = asked(proxies[server])[:2]
    assert first == second


def test_the_head_through_the_url_is_retried(cloud, image, servers):
    proxies, env = servers
    swift = proxies['swift']
    swift.only, swift.plan = image, ['drop', BUSY]
    cloud.create(image, env=env)
    assert swift.plan == []
    assert [each for each in swift.requests if image in each] == [
        f'HEAD /v1/{swift.requests[-1].partition("/v1/")[2]}'] * 3


@pytest.mark.parametrize('server', ['glance', 'swift'])
def test_num_retries(cloud, image, servers, server):
    proxies, env = servers
    proxies[server].plan = [BUSY, BUSY]
    line = cloud.refused(image, env={**env, 'OSC_IMGURL_NUM_RETRIES': '1'})
    assert '503' in line
    assert len(asked(proxies[server])) == 2
    proxies[server].plan, proxies[server].requests[:] = ['drop'] * 9, []
    line = cloud.refused(image, env={**env, 'OSC_IMGURL_NUM_RETRIES': '0'})
    assert len(asked(proxies[server])) == 1


@pytest.mark.parametrize('command', ['create', 'list'])
@pytest.mark.parametrize(('silent', 'connections'), [
    ('image_endpoint_override', 1), ('object_store_endpoint_override', 3)])
def test_a_silent_server_is_waited_for_once(cloud, image, silent, connections, command):
    """Not once more for each retry, or for each question: two would take eight seconds."""
    with silent_server() as (port, accepted):
        path = '/v1/AUTH_x' if 'object' in silent else ''
        env = cloud.config(**{silent: f'http://127.0.0.1:{port}{path}'})
        started = time.monotonic()
        result = cloud.openstack('image', 'temp', 'url', command, image,
                                 env={**env, 'OSC_IMGURL_TIMEOUT': '4'})
        assert 4 <= time.monotonic() - started < 8
        assert result.code == 1 and 'there is no answer in time' in result.stderr
        # What is asked at once is waited for at once.
        assert len(accepted) <= connections


@pytest.mark.parametrize('server', ['glance', 'swift'])
@pytest.mark.parametrize('status', [500, 502, 400])
def test_other_answers_are_not_retried(cloud, image, servers, server, status):
    proxies, env = servers
    proxies[server].plan = [(status, {})]
    cloud.refused(image, env=env)
    assert len(asked(proxies[server])) == 1
