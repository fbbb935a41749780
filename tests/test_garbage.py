import gc

import pytest

from emulator.garbage import no_garbage_collection


def test_the_collector_is_off_meanwhile_and_as_before_afterwards() -> None:
    with no_garbage_collection():
        assert not gc.isenabled()
        with no_garbage_collection():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_an_error_switches_the_collector_on_again() -> None:
    with pytest.raises(KeyError), no_garbage_collection():
        raise KeyError
    assert gc.isenabled()
