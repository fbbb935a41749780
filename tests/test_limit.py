import time

import pytest

from tests.conftest import limited


def test_a_test_that_computes_for_ever_is_ended() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"more than 0.05 s of processor time"):
        compute_for_ever()


def compute_for_ever() -> None:
    with limited(0.05):
        while True:
            pass


def test_a_test_that_waits_is_not() -> None:
    with limited(0.05):
        time.sleep(0.2)
