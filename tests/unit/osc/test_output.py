"""What a list prints, and when it ends."""

import io

import pytest

from osc_imgurl.batch import Failure, Made
from osc_imgurl.errors import ImgurlError
from osc_imgurl.osc.output import INTERRUPTED, Output
from osc_imgurl.osc.temp_url_list import references


class Progress:
    def __init__(self):
        self.said = []

    def count(self, done):
        self.said.append(f'count {done}')

    def hide(self):
        self.said.append('hide')

    def end(self):
        self.said.append('end')


def test_an_interrupt_ends_the_rows_and_keeps_those_that_are_there():
    made = object.__new__(Made)

    def interrupted():
        yield made
        raise KeyboardInterrupt

    progress = Progress()
    output = Output(io.StringIO(), progress, streams=False, fail_fast=False, with_errors=False)
    assert list(output.through(interrupted())) == [made]
    assert output.exit_status == INTERRUPTED and progress.said[-1] == 'end'


def test_a_file_at_home(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    (tmp_path / 'images').write_text('cirros\n')
    assert list(references([], '~/images')) == ['cirros']


@pytest.mark.parametrize(('terminal', 'streams', 'said'), [
    (False, True, ['count 0', 'count 1', 'end']), (True, False, ['count 0', 'count 1', 'end']),
    # The rows are progress enough; each needs room.
    (True, True, ['hide', 'hide', 'end'])])
def test_progress_beside_rows(monkeypatch, terminal, streams, said):
    stdout, progress = io.StringIO(), Progress()
    monkeypatch.setattr(stdout, 'isatty', lambda: terminal)
    output = Output(stdout, progress, streams=streams, fail_fast=False, with_errors=False)
    assert len(list(output.through([object.__new__(Made)] * 2))) == 2
    assert progress.said == said


def test_a_list_ends_at_the_first_failure_where_that_is_asked_for():
    made = object.__new__(Made)
    failure = Failure('image 1', ImgurlError('It fails.'))
    for fail_fast, rows in (True, [made]), (False, [made, made]):
        output = Output(io.StringIO(), Progress(), streams=False, fail_fast=fail_fast,
                        with_errors=False)
        assert list(output.through([made, failure, made])) == rows


@pytest.mark.parametrize(('problem', 'said'), [
    ('It fails.', 'image 1: It fails.'), ('The image 1 fails.', 'The image 1 fails.')])
def test_a_failure_names_its_image(caplog, problem, said):
    failure = Failure('image 1', ImgurlError(problem))
    for with_errors in False, True:
        output = Output(io.StringIO(), Progress(), streams=False, fail_fast=False,
                        with_errors=with_errors)
        assert list(output.through([failure])) == [failure] * with_errors
        assert output.exit_status == 1
    assert caplog.messages == [said] * 2


def test_a_reason_that_many_images_share_is_given_once(caplog):
    def failures():
        for number in range(30):
            yield Failure(f'id {number}', ImgurlError('There is no key.'), name=f'image {number}')
            yield Failure(f'id {number}', ImgurlError(f'The image id {number} fails.'))

    for with_errors, hint in (False, ' List them (--with-errors).'), (True, ''):
        caplog.clear()
        output = Output(io.StringIO(), Progress(), streams=False, fail_fast=False,
                        with_errors=with_errors)
        assert len(list(output.through(failures()))) == 60 * with_errors
        first, *own, last = caplog.messages
        assert first == 'image 0 (id 0): There is no key.'
        assert own == [f'The image id {number} fails.' for number in range(30)]
        assert last == f'29 more of the images have no URL, for a reason above.{hint}'
