import numpy as np

from emulator.run import prepare
from emulator.traffic.addressing import BOARD_IP, BOARD_MAC, HOST_IP, HOST_MAC, ptp_stamp
from emulator.traffic.responses import Responder
from emulator.wire import Response, Status, encode_send
from tests.run.examples import SLIDING, resolved

PATCHES, SHOTS = 2, 3
CARRIED = [range(2), range(2, 4), range(4, 6)]


def test_frames_are_those_of_the_encoder_one_by_one() -> None:
    asked = ("qpu.patches=2", "run.shots=3", "code.rounds=6", *SLIDING)
    traffic = prepare(resolved(*asked)).traffic
    numbering, plan = traffic.numbering, traffic.plan
    assert traffic.carried == CARRIED
    rng = np.random.default_rng(1)
    keys = [(p, s, n) for s in range(SHOTS) for p in range(PATCHES) for n in range(len(CARRIED))]
    taken = rng.integers(0, 10**13, len(keys))
    sent = dict(zip(("patch", "shot", "number"), np.array(keys).T, strict=True))
    rows = PATCHES * SHOTS
    corrections = rng.integers(0, 256, (rows, len(plan), 5), dtype=np.uint8)
    responder = Responder(traffic, {**sent, "taken_ps": taken}, corrections)
    for window in rng.permutation(rows * len(plan)).tolist():
        row, position = divmod(window, len(plan))
        shot, patch = divmod(row, PATCHES)
        key = (patch, shot, plan[position].commits[-1] // 2)
        assert responder.request_id(window) == numbering.request_id(*key)
        stamp = ptp_stamp(int(taken[keys.index(key)]))
        result = corrections[row, position].tobytes()
        response = Response(Status.OK, numbering.request_id(*key), stamp, result)
        assert responder.frame(window, (1 << 24) + window) == encode_send(
            response.encode(),
            src_mac=HOST_MAC,
            dst_mac=BOARD_MAC,
            src_ip=HOST_IP,
            dst_ip=BOARD_IP,
            psn=window,
        )
