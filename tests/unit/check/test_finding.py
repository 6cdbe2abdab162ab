import pytest

from osc_imgurl.check.finding import (
    FAIL,
    PASS,
    SKIPPED,
    Finding,
    failed,
    failed_with,
    passed,
    skipped,
)
from osc_imgurl.errors import ImgurlError, advice


@pytest.mark.parametrize(('finding', 'wanted'), [
    (passed('good'), Finding(PASS, 'good', '', ())),
    (failed('bad', 'Mend it.', 'key_file'), Finding(FAIL, 'bad', 'Mend it.', ('key_file',))),
    (skipped('unknown'), Finding(SKIPPED, 'unknown', '', ())),
    (skipped('unknown', 'Ask.', 'account'), Finding(SKIPPED, 'unknown', 'Ask.', ('account',))),
    (failed_with(ImgurlError('It is bad.', 'Mend it.', 'account', 'key_file')),
     Finding(FAIL, 'It is bad', 'Mend it.', ('account', 'key_file'))),
])
def test_what_a_check_says(finding, wanted):
    assert finding == wanted
    assert finding.check == ''


def test_the_results_are_what_is_printed():
    assert (PASS, FAIL, SKIPPED) == ('pass', 'fail', 'skipped')


def test_what_is_quoted_is_printable():
    found = failed('a\nb', 'See\x1b[31m.')
    assert (found.detail, found.remedy) == ('a\\nb', 'See\\x1b[31m.')
    assert advice(found.remedy, found.names) == 'See\\x1b[31m.'
