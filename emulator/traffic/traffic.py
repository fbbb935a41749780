"""The traffic of a scenario: which messages carry which rounds, when, and under which numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emulator.loop.config import Message
from emulator.numbering import Emission, Numbering, answered_messages
from emulator.scenario.scenario import Scenario
from emulator.scenario.sections import FpgaSection, LinksSection
from emulator.syndromes.source import SyndromeSource, bits_per_round
from emulator.traffic.addressing import link_registers
from emulator.traffic.messages import Packets, messages, payload_sizes, response_packets
from emulator.windows import Window
from emulator.wire import HsbRegisters

__all__ = ["Traffic"]


@dataclass(frozen=True, eq=False)
class Traffic:
    """Everything about the messages of a run that is known before its shots are.

    ``detector_round``: int32 (D,), the round that completes each detector; ``bits``: detectors a
    round completes, one number a round; ``observables``: bits of a correction; ``plan``: windows
    of a shot; ``messages``: those of a shot; ``response``: packets (beats, line bits) of a
    response.
    """

    fpga: FpgaSection
    link: LinksSection
    ring_slots: int
    detector_round: NDArray[np.int32]
    bits: tuple[int, ...]
    observables: int
    emission: Emission
    plan: tuple[Window, ...]
    messages: tuple[Message, ...]
    response: Packets

    @classmethod
    def of(cls, scenario: Scenario, source: SyndromeSource, plan: Sequence[Window]) -> "Traffic":
        """Lay out the messages of ``scenario`` for the shots of ``source``.

        Raises ScenarioError for messages that the protocol or the MTU do not allow.
        """
        qpu, bits = scenario.qpu, tuple(bits_per_round(source).tolist())
        observables = source.dem.num_observables
        return cls(
            fpga=scenario.fpga,
            link=scenario.link,
            ring_slots=scenario.host.ring_slots,
            detector_round=source.detector_round,
            bits=bits,
            observables=observables,
            emission=Emission(
                round_period_ps=qpu.round_period,
                rounds=source.num_rounds,
                shots=scenario.run.shots,
                patches=qpu.patches,
                patch_offset_ps=qpu.patch_offset,
                shot_period_ps=qpu.shot_period or 0,
            ),
            plan=tuple(plan),
            messages=messages(scenario.fpga, scenario.link.up, scenario.window, bits),
            response=response_packets(scenario.fpga, scenario.link.down, observables),
        )

    @property
    def patches(self) -> int:
        """Patches that share the link."""
        return self.emission.patches

    @property
    def numbering(self) -> Numbering:
        """Numbers of the shots, windows and messages of the run."""
        return Numbering(self.patches, len(self.plan), len(self.messages))

    @property
    def carried(self) -> list[range]:
        """Rounds of each message of a shot."""
        return [message.rounds for message in self.messages]

    @property
    def answered(self) -> tuple[int, ...]:
        """Place in the shot of the message that each window of the plan answers."""
        return answered_messages([window.commits for window in self.plan], self.carried)

    @property
    def max_message_bits(self) -> int:
        """Syndrome bits of the longest message."""
        return max(sum(self.bits[r] for r in message.rounds) for message in self.messages)

    @property
    def shots_ahead(self) -> int:
        """Shots that the first patch has emitted when the last one begins its first."""
        emission = self.emission
        return -(-(self.patches - 1) * emission.patch_offset_ps // emission.shot_period_ps)

    def registers(self, port: int = 0) -> HsbRegisters:
        """Registers of the packetiser of a port up."""
        payload_bytes = max(payload_sizes(self.fpga, self.carried, self.bits))
        return link_registers(
            payload_bytes, self.link.up.mtu, last_buffer=self.ring_slots - 1, port=port
        )
