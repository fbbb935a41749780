"""The tables of a scenario, each drawn on its own."""

from collections.abc import Callable
from dataclasses import replace

from tests.fuzz.choices import Choices
from tests.fuzz.delays import EXTREME_PS, Facts, Table, draw_delay, draw_time

__all__ = ["draw_tables"]

PERIODS_PS = (10**6, 1_100_000, 8_500_000, 10**9, 10**6, 10**7, 999, 10**4, 55 * 10**9, 10**12)
PROBABILITIES = (0.003, 0.01, 0.1, 0.0001, 0.5)
TASKS = (
    *("repetition_code:memory",) * 4,
    *("surface_code:rotated_memory_z", "surface_code:rotated_memory_x"),
    *("ising:memory_x", "ising:memory_z", "color_code:memory_xyz"),
)
LOSSES = (0.0, 0.01, 0.2, 0.9, 1.0)
PRESETS = {
    "qpu": ("gidney_rsa", "google_willow", "quantinuum_helios", "silicon_spin"),
    "fpga": ("hsb_512", "hsb_64", "ideal", "roundtrip_512", "roundtrip_64"),
    "link": ("nvqlink", "ideal", "udp_kernel", "pcie_dma", "on_fpga", "nvqlink_gb200_unified"),
    "host": ("ideal", "cudaq_pipeline", "nvqlink_persistent_kernel", "cpu_wakeup"),
    "predecoder": ("ising_fast_gb300_p003", "trt_fp16_gb200_d13_t104"),
    "decoder": ("google_realtime", "included_in_predecoder", "collision_clustering", "lcd"),
}


def draw_tables(choose: Choices) -> Table:
    """All tables of a scenario, each but [qpu], [code], [decoder] and [run] now and then left out.

    They agree with one another in all but a few: what no scenario may have is not the point.
    """
    code, facts = _code(choose, _facts(choose))
    noise = _noise(choose, facts) if "task" in code else {}
    facts = replace(facts, p=noise.get("p"))
    tables: Table = {"qpu": _qpu(choose, facts), "code": code}
    if noise:
        tables["noise"] = noise
    sections: dict[str, Callable[[], Table]] = {
        "window": lambda: _window(choose, facts.rounds),
        "fpga": lambda: _fpga(choose, facts),
        "link": lambda: {way: _link(choose, facts, way) for way in ("up", "down")},
        "host": lambda: _host(choose, facts),
        "predecoder": lambda: _predecoder(choose, facts),
        "feedback": lambda: {"every": choose.between(1, 2 * facts.rounds)},
        "budget": lambda: _budget(choose, facts),
    }
    for name, section in sections.items():
        choose.maybe(tables, name, section)
    tables["decoder"] = _decoder(choose, facts)
    tables["run"] = _run(choose)
    if not choose.rarely(20):
        _make_consistent(tables)
    if choose.rarely(60):
        _use_network(tables)
    choose.maybe(tables, "schema_version", lambda: 2)
    return tables


def _make_consistent(tables: Table) -> None:
    if "feedback" in tables:  # no gaps between shots, in which a program could not go on
        tables["qpu"].pop("shot_period", None)
    up, host = tables.get("link", {}).get("up", {}), tables.get("host", {})
    if up.get("framing", "roce") == "roce" and host.get("ring_slots", 0) > 64:
        host["ring_slots"] = 64


def _use_network(tables: Table) -> None:
    """Put a trained pre-decoder in front, and the one code and window that it is for."""
    tables["code"] = {"task": "surface_code:rotated_memory_z", "distance": 5, "rounds": 5}
    tables["noise"] = {"model": "depolarizing", "p": 0.003}
    tables["predecoder"] = {"kind": "onnx", "model": "model.onnx", "orientation": "XV"}
    tables["decoder"]["algorithm"] = "pymatching"
    tables["qpu"].pop("shot_period", None)
    tables.pop("window", None)


def _facts(choose: Choices) -> Facts:
    task = choose.pick(*TASKS)
    odd = task.startswith(("surface", "ising", "color"))
    distance = choose.pick(3, 3, 5) if odd else choose.pick(3, 2, 4)
    period = choose.pick(*EXTREME_PS[1:]) if choose.rarely(40) else choose.pick(*PERIODS_PS)
    fewest = 2 if task.startswith(("color", "ising")) and not choose.rarely(12) else 1
    rounds = max(fewest, choose.pick(4, 6, 12, 1, 2, 3, 25))
    return Facts(period, rounds, task, distance, choose.pick(*PROBABILITIES))


def _noise(choose: Choices, facts: Facts) -> Table:
    if choose.rarely(40):
        return {"model": "none"}
    if facts.task.startswith("ising") or facts.p == PROBABILITIES[-1]:
        return {"model": "depolarizing", "p": facts.p}
    return {"model": choose.pick("depolarizing", "si1000"), "p": facts.p}


def _code(choose: Choices, facts: Facts) -> tuple[Table, Facts]:
    """The source of the shots; of a file, distance and error rate are not known."""
    source = choose.pick(*("generated",) * 10, "circuit", "samples")
    if source == "circuit":
        table: Table = {"source": source, "circuit": "circuit.stim"}
        choose.maybe(table, "rounds", lambda: choose.pick(4, "measurements", "ticks"))
        choose.maybe(table, "time_coordinate", lambda: choose.pick(-1, 2, 0))
        return table, replace(facts, rounds=4, p=None, known=choose.rarely(12))
    if source == "samples":
        table = {"source": source, "detections": "shots.01", "format": "01", "model": "model.dem"}
        if choose.pick(False, True):
            table |= {"detections": "bare.b8", "format": "b8", "observables": "truth.01"}
            table |= {"observables_format": "01"}
        _say_what_samples_are(choose, table)
        return table, replace(facts, rounds=3, p=None, known=choose.rarely(12))
    table = {"task": facts.task, "distance": facts.distance, "rounds": facts.rounds}
    choose.maybe(table, "source", lambda: source)
    if facts.task.startswith("ising"):
        choose.maybe(table, "orientation", lambda: choose.pick("XH", "ZV", "ZH", "XV"))
    return table, facts


def _say_what_samples_are(choose: Choices, table: Table) -> None:
    choose.maybe(table, "mismatch", lambda: choose.pick("accept", "refuse"))
    if "observables" not in table:
        choose.maybe(table, "observables_at", lambda: choose.pick("end", "none", "start"))
    if choose.rarely(12):
        table |= {"samples_hold": "measurements", "circuit": "circuit.stim"}
        choose.maybe(table, "sweep", lambda: "truth.01")
        choose.maybe(table, "sweep_format", lambda: choose.pick("01", "b8"))


def _qpu(choose: Choices, facts: Facts) -> Table:
    period, shot = facts.period_ps, facts.shot_ps
    table: Table = {"round_period": f"{period} ps"}
    if choose.rarely(12):
        table = {"preset": choose.pick(*PRESETS["qpu"])}
    choose.maybe(table, "readout", lambda: draw_delay(choose, period, facts))
    choose.maybe(table, "patches", lambda: choose.pick(2, 1, 3, 5))
    choose.maybe(table, "patch_offset", lambda: draw_time(choose, period))
    if choose.rarely(4):
        table["shot_period"] = f"{choose.pick(shot + period, shot, 3 * shot, 20 * shot + 1)} ps"
    choose.maybe(table, "reaction_limit", lambda: draw_time(choose, 10 * shot, least_ps=1))
    choose.maybe(table, "suppression", lambda: choose.pick(2.14, 1.0001, 1e6))
    return table


def _window(choose: Choices, rounds: int) -> Table:
    kind = choose.pick("whole", "sliding", "parallel")
    if kind == "whole" or rounds < 3:
        return {"kind": "whole"}
    sides = 2 if kind == "parallel" else 1
    least = 1 if kind == "parallel" else 0
    buffer = choose.between(least, max(least, (rounds - 1) // sides))
    commit = choose.between(1, max(1, rounds - sides * buffer))
    table = {"kind": kind, "commit": commit, "buffer": buffer}
    choose.maybe(table, "tail", lambda: choose.pick("absorb", "truncate"))
    return table


def _fpga(choose: Choices, facts: Facts) -> Table:
    table: Table = {}
    if choose.rarely(6):
        table["preset"] = choose.pick(*PRESETS["fpga"])
    # so fast a clock that it does not decide everything, or any other
    fast = min(10**12, max(1, 10**15 // facts.period_ps))
    choose.maybe(
        table,
        "clock",
        lambda: choose.pick(f"{fast} Hz", "322.265625 MHz", "1000 GHz", "1 GHz", "1 Hz"),
    )
    choose.maybe(table, "bus_bits", lambda: choose.pick(64, 128, 256, 512))
    choose.maybe(table, "intake", lambda: choose.pick("rounds", "message"))
    choose.maybe(table, "input_bits", lambda: choose.pick(8, 16, 32, 64, 128, 256))
    choose.maybe(table, "pipeline_cycles", lambda: choose.pick(0, 9, 1000))
    choose.maybe(table, "store_and_forward", lambda: choose.pick(False, True))
    choose.maybe(table, "min_spacing_cycles", lambda: choose.pick(0, 1, 50, 0, 10**6))
    choose.maybe(table, "receive_cycles", lambda: choose.pick(0, 7, 10**6))
    choose.maybe(table, "rounds_per_message", lambda: choose.pick(1, 2, "window", 5))
    choose.maybe(table, "encoding", lambda: choose.pick("bytes", "bits"))
    if choose.rarely(20):
        table["timing"] = "model"
    return table


def _link(choose: Choices, facts: Facts, way: str) -> Table:
    table: Table = {}
    if choose.rarely(6):
        table["preset"] = choose.pick(*PRESETS["link"])
    # a frame of a thousand bits in a hundredth of a round, up to ten rounds
    lines = [max(1, 10**17 // (facts.period_ps * share)) for share in (1, 10, 100, 1000)]
    choose.maybe(table, "rate", lambda: f"{choose.pick(*lines, 10**11, 1, 10**15)} bit/s")
    choose.maybe(table, "latency", lambda: draw_delay(choose, facts.period_ps, facts))
    choose.maybe(table, "propagation", lambda: draw_time(choose, facts.period_ps))
    choose.maybe(table, "hops", lambda: choose.pick(1, 3, 1000))
    choose.maybe(table, "hop_latency", lambda: draw_time(choose, facts.period_ps))
    choose.maybe(table, "mtu", lambda: f"{choose.pick(4096, 256, 1500, 9000, 512)} B")
    if choose.rarely(30):
        table["mtu"] = choose.pick("1 B", "64 B")  # less than any message takes
    choose.maybe(table, "framing", lambda: choose.pick("udp", "raw", "roce"))
    choose.maybe(table, "port", lambda: choose.pick("per_patch", "shared"))
    if choose.rarely(4 if way == "up" else 40):
        table["loss"] = choose.pick(*LOSSES)
    return table


def _host(choose: Choices, facts: Facts) -> Table:
    table: Table = {}
    if choose.rarely(8):
        table["preset"] = choose.pick(*PRESETS["host"])
    choose.maybe(table, "ring_slots", lambda: choose.pick(64, 32, 64, 16, 3, 1000, 1))
    if choose.rarely(60):
        table["ring_slots"] = 10**15
    choose.maybe(table, "on_full", lambda: choose.pick("wait", "wait", "drop"))
    choose.maybe(table, "release", lambda: choose.pick("dispatch", "response"))
    choose.maybe(table, "dispatch", lambda: draw_delay(choose, facts.period_ps, facts))
    return table


def _predecoder(choose: Choices, facts: Facts) -> Table:
    table: Table = {"kind": choose.pick("delay", "none")}
    if choose.rarely(20):
        table["preset"] = choose.pick(*PRESETS["predecoder"])
    else:
        table["timing"] = draw_delay(choose, facts.shot_ps, replace(facts, by_window=True))
    if choose.rarely(20):
        table["profile"] = "profile.json"
    choose.maybe(table, "orientation", lambda: choose.pick("XV", "ZH"))
    choose.maybe(table, "streams", lambda: choose.pick(1, 2, 5, 64, 10**15))
    if choose.pick(False, True):
        table["batch"] = choose.pick(2, 4, 64)
        choose.maybe(table, "batch_timeout", lambda: draw_time(choose, facts.shot_ps))
    return table


def _decoder(choose: Choices, facts: Facts) -> Table:
    table: Table = {
        "algorithm": "none",
        "timing": draw_delay(choose, facts.shot_ps, replace(facts, by_window=True)),
    }
    if choose.rarely(3):
        table["algorithm"] = choose.pick(*("pymatching",) * 8, "fusion_blossom")
    if choose.rarely(30):
        table["algorithm"] = choose.pick(
            "chromobius", "pymatching_correlated", "nobody:home", "os:sep"
        )
    if choose.rarely(15):
        table = {"algorithm": table["algorithm"], "preset": choose.pick(*PRESETS["decoder"])}
    elif choose.rarely(12):
        table["timing"], table["profile"] = "profile", "profile.json"
    elif choose.rarely(12):
        table["timing"], table["algorithm"] = "measured", "pymatching"
    choose.maybe(table, "workers", lambda: choose.pick(1, 2, 7, 64, 10**15))
    choose.maybe(table, "allow_dropped", lambda: choose.pick(1, 0.5, 0.01, 0))
    return table


def _budget(choose: Choices, facts: Facts) -> Table:
    table: Table = {}
    choose.maybe(table, "reaction", lambda: draw_time(choose, 10 * facts.shot_ps, least_ps=1))
    choose.maybe(table, "quantile", lambda: choose.pick(0.5, 0.9, 0.999, 1e-9, 1 - 1e-9))
    choose.maybe(table, "confidence", lambda: choose.pick(0.9, 0.99, 1e-6, 1 - 1e-9))
    choose.maybe(table, "logical_error_rate", lambda: choose.pick(0.5, 0.01, 0, 1, 1e-12))
    choose.maybe(table, "lost_rounds", lambda: choose.pick(0, 5, 10**6))
    return table


def _run(choose: Choices) -> Table:
    table: Table = {"shots": choose.pick(100, 30, 7, 1, 120, 300, 400)}
    if choose.rarely(150):
        table["shots"] = 10**20  # no period is so short that this is less than 106 days
    choose.maybe(table, "title", lambda: choose.pick("", 'A <b>title</b> & \u2713 "quoted"'))
    choose.maybe(table, "seed", lambda: choose.pick(1, 2**32, 2**70))
    choose.maybe(table, "warmup_windows", lambda: choose.pick(1, 10, 10**6))
    choose.maybe(table, "drain", lambda: choose.pick(False, True))
    choose.maybe(table, "chunk_shots", lambda: choose.pick(1, 7, 10**9))
    return table
