"""Text that others write is read in a time that grows with its length, and no faster.

Run as a program this file reads hostile texts with all that reads such, and ends at a limit of the
processor's time that only a hang meets.
"""

import contextlib
import itertools
import resource
import subprocess
import sys

import requests
from glanceclient import exc
from keystoneauth1.session import Session

from osc_imgurl import http
from osc_imgurl.copies import copy, segments
from osc_imgurl.errors import ImgurlError, hide_secrets
from osc_imgurl.glance import location
from osc_imgurl.glance.client import Client
from osc_imgurl.glance.image import is_uuid
from osc_imgurl.settings.table import BY_NAME
from osc_imgurl.target import trust
from osc_imgurl.tempurl import endpoint, options
from osc_imgurl.tempurl.url import parse

LENGTH = 100_000
# In seconds.
A_HANG = 120
PARTS = ('/', '/v1', '/v1/', '1', '1.', 'a', 'a.', '-', ':', '://', '://:', ':@', '@', '%', '%41',
         '?', '#', '&', '&a=', ',', 'a=,', 'passwd', 'password ', ' ', '\n', '\0', '<', '<a ', '[',
         '"', 'temp_url_sig=')
STARTS = ('', 'http://', 'http://h/')


def of_temp_url(text):
    parse(f'http://h/v1/a/c/o?temp_url_sig={text}&temp_url_expires=1')
    parse(f'http://h/{text}/v1/a/c/o?temp_url_sig={"0" * 40}&temp_url_expires={text}')


def of_error_page(text):
    response = requests.Response()
    response.status_code, response._content = 400, text.encode(errors='replace')
    response.headers['Content-Type'] = 'text/html'
    response.encoding = 'utf-8'
    with contextlib.suppress(exc.HTTPException):
        Client(Session(), 'http://glance')._handle_response(response)


READERS = {
    'endpoint': endpoint.validate_endpoint, 'storage URL': endpoint.validate_storage_url,
    'split': endpoint.split_storage_url, 'gateway': endpoint.gateway_endpoint,
    'temporary URL': parse, 'parts of a temporary URL': of_temp_url, 'moment': options.parse_moment,
    'location': location.parse, 'place': trust._place, 'UUID': is_uuid, 'error page': of_error_page,
    'Retry-After': http._Retry().parse_retry_after,
    'quoted': hide_secrets,
    'length': lambda text: http.content_length({'Content-Length': text}),
    'copy': lambda text: copy.from_headers('c', 'o', {
        'Content-Length': '1', copy.HASH: text, copy.DELETE_AT: text}),
    'segment': segments._NAME.fullmatch,
    **{name: BY_NAME[name].parse for name in ('cache_arguments', 'endpoint_url', 'duration')}}


def test_nothing_hangs():
    done = subprocess.run([sys.executable, '-P', __file__], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, f'{done.stdout[-100:]}{done.stderr}'


if __name__ == '__main__':
    resource.setrlimit(resource.RLIMIT_CPU, (A_HANG, A_HANG))
    for name, read in READERS.items():
        for part, start in itertools.product(PARTS, STARTS):
            print(name, repr(part), repr(start), flush=True)
            with contextlib.suppress(ValueError, OverflowError, ImgurlError):
                read(start + part * (LENGTH // len(part)) + '!')
