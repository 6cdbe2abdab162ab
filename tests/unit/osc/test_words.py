"""The library names settings; the command line says what is typed for them."""

import pathlib
import re

import osc_imgurl
from osc_imgurl import errors
from osc_imgurl.errors import ImgurlError, InvalidParameterValue
from osc_imgurl.osc.words import typed

LIBRARY = pathlib.Path(osc_imgurl.__file__).parent
OTHERS = {'ipxe': {'--name', '--timeout'}, 'ironic': {'--instance-info'}}


def test_what_is_typed():
    error = InvalidParameterValue('It is wrong.', 'Correct it.', 'endpoint_url', 'expires',
                                  'object', 'cache_enabled', 'num_retries', errors.SET_KEY)
    assert str(error) == ('It is wrong. Correct it (endpoint_url, expires, object, cache_enabled,'
                          ' num_retries, set a key).')
    assert error.message(typed) == (
        'It is wrong. Correct it (--endpoint-url, --expires-at, --object, --cache, num_retries,'
        ' openstack image temp url key set --generate).')
    assert ImgurlError('It is wrong.').message(typed) == 'It is wrong.'


def test_the_library_names_no_option():
    for path in LIBRARY.rglob('*.py'):
        if 'osc' not in path.relative_to(LIBRARY).parts:
            found = re.findall(r'(?<![\w-])--[a-z][\w-]*', path.read_text())
            # OpenStackClient's own, in the reason why a key may not stand in a variable; and those
            # of the commands that are exported.
            assert set(found) <= OTHERS.get(path.stem, {'--debug'}), path
