"""What a list prints, and when it ends."""

import io

from osc_imgurl.batch import Made
from osc_imgurl.osc.stream import Output


def test_an_interrupt_ends_the_rows_and_keeps_those_that_are_there():
    made = object.__new__(Made)

    def interrupted():
        yield made
        raise KeyboardInterrupt

    output = Output(io.StringIO(), io.StringIO(), streams=False, fail_fast=False,
                    with_errors=False)
    assert list(output.through(interrupted())) == [made]
    assert output.interrupted and not output.failed
