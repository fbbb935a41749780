from dataclasses import replace

import pytest

from emulator.loop.config import Message, messages_of_shot
from emulator.windows import Window
from tests.loop.build import loop_config


def test_messages_carry_every_round_once() -> None:
    config = loop_config(rounds=3)
    for carried in ([range(2)], [range(2), range(1, 3)], [range(1, 3), range(1)]):
        messages = tuple(Message(rounds, ((0, 0),)) for rounds in carried)
        with pytest.raises(ValueError, match="messages must carry every round of a shot once"):
            replace(config, messages=messages)


def test_windows_commit_every_round_once_in_an_order_that_can_be_decoded() -> None:
    first, second = Window(range(3), range(2)), Window(range(2, 3), range(2, 3), (0,))
    loop_config(rounds=3, plan=(first, second))
    for plan in ((first,), (first, first, second)):
        with pytest.raises(ValueError, match="windows must commit every round of a shot once"):
            loop_config(rounds=3, plan=plan)
    for after in (0, 1):
        early = replace(first, after=(after,))
        with pytest.raises(ValueError, match="a window must come after those that it builds on"):
            loop_config(rounds=3, plan=(early, replace(second, after=())))


def test_the_last_message_of_a_shot_may_be_shorter() -> None:
    assert messages_of_shot(7, 3) == (range(3), range(3, 6), range(6, 7))
