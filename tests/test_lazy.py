import json

import pytest

from emulator.lazy import attributes


def test_a_name_is_looked_up_in_its_module() -> None:
    find = attributes("json", {"JSONDecoder": "decoder"})
    assert find("JSONDecoder") is json.JSONDecoder
    with pytest.raises(AttributeError, match="module 'json' has no attribute 'nothing'"):
        find("nothing")


def test_a_name_cannot_be_that_of_a_module() -> None:
    with pytest.raises(ValueError, match="would be the module"):
        attributes("json", {"decoder": "decoder"})
