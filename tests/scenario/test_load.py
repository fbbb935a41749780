from pathlib import Path
from typing import Any

import pytest

from emulator.errors import ScenarioError
from emulator.scenario.layers import Origin, leaves
from emulator.scenario.load import _DEFAULTS, Resolved, load_scenario, resolve
from emulator.scenario.scenario import Scenario, dump
from tests.scenario.examples import MINIMAL_TOML, minimal


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    return tmp_path / "demo.toml"


def load(demo: Path, text: str, *overrides: str) -> Resolved:
    demo.write_text(text)
    return load_scenario(demo, overrides)


def mistakes(demo: Path, text: str, *overrides: str) -> list[str]:
    with pytest.raises(ScenarioError) as error:
        load(demo, text, *overrides)
    return str(error.value).splitlines()


def with_qpu(keys: str) -> str:
    return MINIMAL_TOML.replace('round_period = "1 us"', keys)


# precedence


def test_the_least_scenario_has_the_documented_defaults(demo: Path) -> None:
    scenario = load(demo, MINIMAL_TOML).scenario
    assert scenario.qpu.round_period == 1_000_000
    assert scenario.code.source == "generated"
    assert (scenario.window.kind, scenario.decoder.algorithm) == ("whole", "pymatching")
    assert (scenario.host.ring_slots, scenario.run.shots) == (64, 1000)
    assert scenario.link.up.rate is None
    assert scenario.feedback is None


@pytest.mark.usefixtures("preset_folder")
def test_file_over_preset_over_default(demo: Path) -> None:
    text = MINIMAL_TOML + '[link.up]\npreset = "cable"\nmtu = "1024 B"\nrate = "10 Gbit/s"\n'
    resolved = load(demo, text)
    up = resolved.scenario.link.up
    assert (up.rate, up.mtu, up.hops) == (10 * 10**9, 1024, 0)
    assert dump(resolved.scenario)["link"]["up"]["latency"]["value"] == "2 us"
    assert resolved.scenario.link.down.rate is None
    assert resolved.origins["link.up.rate"] == Origin("file", "demo.toml:15")
    assert resolved.origins["link.up.preset"] == Origin("file", "demo.toml:13")
    assert resolved.origins["link.up.latency.value"] == Origin(
        "preset", "link/cable", "data sheet", "derived"
    )
    assert resolved.origins["link.up.hops"] == Origin("default", "built-in")


@pytest.mark.usefixtures("preset_folder")
def test_command_line_over_file_and_over_preset(demo: Path) -> None:
    text = with_qpu('preset = "fast"\npatches = 2')
    resolved = load(demo, text, "qpu.patches=3", "qpu.readout.sigma=0.5", "link.rate=1 Gbit/s")
    qpu = resolved.scenario.qpu
    assert qpu.patches == 3
    assert dump(resolved.scenario)["qpu"]["readout"] == {
        "kind": "lognormal",
        "shift": "0 ps",
        "median": "400 ns",
        "sigma": 0.5,
    }
    assert resolved.scenario.link.up.rate == resolved.scenario.link.down.rate == 10**9
    origins = resolved.origins
    assert origins["qpu.patches"] == Origin("command line", "--set qpu.patches=3")
    assert origins["qpu.readout.sigma"].kind == "command line"
    assert origins["qpu.readout.median"] == Origin("preset", "qpu/fast", "arXiv 2", "derived")
    assert origins["link.down.rate"].where == "--set link.rate=1 Gbit/s"


@pytest.mark.usefixtures("preset_folder")
def test_a_preset_named_on_the_command_line_takes_the_place_of_the_files(demo: Path) -> None:
    resolved = load(demo, with_qpu('preset = "fast"'), "qpu.preset=slow")
    assert resolved.scenario.qpu.round_period == 10**9
    assert resolved.scenario.reaction_limit_ps == 2 * 10**9
    assert dump(resolved.scenario)["qpu"]["readout"] == {"kind": "constant", "value": "0 ps"}
    assert resolved.origins["qpu.round_period"].where == "qpu/slow"


@pytest.mark.usefixtures("preset_folder")
def test_a_link_preset_of_the_command_line_is_for_both_directions(demo: Path) -> None:
    links = load(demo, MINIMAL_TOML, "link.preset=cable").scenario.link
    assert links.up == links.down
    assert links.up.rate == 100 * 10**9


def test_part_of_a_default_delay_may_be_given(demo: Path) -> None:
    resolved = load(demo, MINIMAL_TOML, "qpu.readout.value=1 us")
    assert dump(resolved.scenario)["qpu"]["readout"] == {"kind": "constant", "value": "1 us"}
    assert resolved.origins["qpu.readout.kind"].kind == "default"


def test_the_defaults_that_are_laid_first_are_those_of_the_models() -> None:
    written = dict(leaves(dump(Scenario.model_validate(minimal(code={"source": "generated"})))))
    assert all(written[path] == value for path, value in leaves(_DEFAULTS))


# origins


def test_every_value_of_the_dump_has_one_origin(demo: Path) -> None:
    text = MINIMAL_TOML + "[feedback]\nevery = 5\n"
    resolved = load(demo, text, "decoder.timing={kind='constant', value='3 us'}")
    keys = {".".join(path) for path, _ in leaves(dump(resolved.scenario))}
    assert set(resolved.origins) == keys
    assert resolved.origins["decoder.timing.value"].kind == "command line"
    assert resolved.origins["feedback.every"] == Origin("file", "demo.toml:13")


def test_lines_of_inline_tables_and_dotted_keys(demo: Path) -> None:
    text = "run.shots = 3\n" + MINIMAL_TOML
    text += '[decoder]\n\ntiming = { kind = "normal", mean = "3 us", sd = "1 us" }\n'
    origins = load(demo, text).origins
    assert origins["run.shots"].where == "demo.toml:1"
    assert origins["qpu.round_period"].where == "demo.toml:3"
    assert origins["decoder.timing.mean"].where == "demo.toml:15"
    assert origins["decoder.timing.floor"].kind == "default"


def test_defaults_of_physical_quantities_are_assumptions_and_settings_are_not(demo: Path) -> None:
    origins = load(demo, MINIMAL_TOML).origins
    for key in ("link.up.propagation", "link.up.latency.value", "fpga.pipeline_cycles"):
        assert origins[key] == Origin("default", "built-in", None, "assumed"), key
    for key in ("run.shots", "decoder.algorithm", "decoder.workers", "predecoder.batch_timeout"):
        assert origins[key] == Origin("default", "built-in"), key


def test_a_delay_that_names_its_source_is_believed(demo: Path) -> None:
    text = MINIMAL_TOML + (
        '[decoder]\ntiming = { kind = "constant", value = "3 us", source = "arXiv 9", '
        'confidence = "measured" }\n'
    )
    origin = load(demo, text).origins["decoder.timing.value"]
    assert origin == Origin("file", "demo.toml:13", "arXiv 9", "measured")


# mistakes


def test_all_mistakes_of_a_file_and_of_the_command_line_are_listed_at_once(demo: Path) -> None:
    text = MINIMAL_TOML.replace("rounds = 20", "rounds = 20\nrouns = 3") + (
        '[link.up]\nrate = "400 Gbps/s"\n'
        "[host]\nring_slots = 65\n"
        '[window]\nkind = "sliding"\ncommit = 30\nbuffer = 5\n'
        '[decoder]\ntiming = { kind = "constnat", value = "3 us" }\n'
    )
    assert mistakes(demo, text, "link.down.hops=-1") == [
        "--set link.down.hops=-1: link.down.hops: -1 is out of range; write at least 0",
        'demo.toml:8: code.rouns: unknown key; did you mean "rounds"?',
        'demo.toml:14: link.up.rate: "400 Gbps/s" is not a rate; write e.g. "400 Gbit/s"',
        (
            'demo.toml:22: decoder.timing.kind: "constnat" is unknown; did you mean "constant"? '
            'write one of "constant", "normal", "lognormal", "mixture", "empirical", "quantiles", '
            '"curve", "load", "batch", "warmup"'
        ),
    ]


def test_tables_that_are_right_in_themselves_are_still_held_against_one_another(
    demo: Path,
) -> None:
    text = MINIMAL_TOML + (
        '[window]\nkind = "sliding"\ncommit = 30\nbuffer = 5\n[run]\nshots = 0\n'
    )
    assert mistakes(demo, text) == [
        (
            "demo.toml:14: window.commit: a window of 35 rounds is larger than a shot of 20; "
            "write commit and buffer that fit, or code.rounds = 35 or more"
        ),
        "demo.toml:17: run.shots: 0 is out of range; write at least 1",
    ]


def test_a_table_that_cannot_be_read_is_not_also_missing(demo: Path) -> None:
    text = MINIMAL_TOML.replace("p = 0.001", "p = 2")
    assert mistakes(demo, text) == [
        "demo.toml:11: noise.p: 2 is out of range; write at most 1",
    ]


def test_a_missing_key_is_placed_at_its_table(demo: Path) -> None:
    text = MINIMAL_TOML.replace('round_period = "1 us"', "").replace("rounds = 20", "")
    assert mistakes(demo, text) == [
        'demo.toml:1: qpu.round_period: is missing; add e.g. round_period = "3.96 us"',
        "demo.toml:4: code.rounds: is missing; add e.g. rounds = 3",
    ]
    assert mistakes(demo, "")[0].startswith("demo.toml: qpu.round_period: is missing")


@pytest.mark.usefixtures("preset_folder")
def test_an_unknown_preset_is_named_and_what_it_would_have_told_is_not_missed(demo: Path) -> None:
    text = with_qpu('preset = "fats"') + '[link.down]\npreset = "broken"\n'
    found = mistakes(demo, text)
    assert found[0] == (
        'demo.toml:2: qpu.preset: "fats" is no qpu preset; did you mean "fast"? '
        "there are fast, slow"
    )
    assert found[1].startswith("demo.toml:13: link.down.preset: preset link/broken cannot be read")
    assert len(found) == 2


def test_a_wrong_value_of_a_preset_names_the_preset(preset_folder: Path, demo: Path) -> None:
    (preset_folder / "qpu" / "wrong.toml").write_text(
        'title = "t"\nsource = "s"\nconfidence = "assumed"\n[values]\nround_period = "1 sec"\n'
    )
    assert mistakes(demo, with_qpu('preset = "wrong"')) == [
        'preset qpu/wrong: qpu.round_period: "1 sec" is not a time; write e.g. "3.96 us"'
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[qpu]\nround_period 3\n", "demo.toml:2: is not valid TOML at column 14: expected '='"),
        ("a = 1\na = 2\n", "demo.toml:2: is not valid TOML at column 6: cannot overwrite"),
        ("a = [1,", "demo.toml: is not valid TOML at the end: "),
    ],
)
def test_a_syntax_error_is_one_sentence_with_its_line(demo: Path, text: str, message: str) -> None:
    [line] = mistakes(demo, text)
    assert line.startswith(message)


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    for path, text in (
        (tmp_path / "none.toml", "there is no such scenario file; check the path"),
        (tmp_path, "is a folder; name a scenario file in it"),
        (binary, "is not a text file in UTF-8; save it as such"),
        (binary / "x.toml", "cannot be read: Not a directory"),
    ):
        with pytest.raises(ScenarioError) as error:
            load_scenario(path)
        assert str(error.value) == f"{path}: {text}"


def test_nothing_that_stands_for_a_table_is_a_crash() -> None:
    sections = Scenario.model_fields.keys() - {"schema_version"}
    for name in (*sections, "link.up"):
        tables: dict[str, Any] = minimal()
        section, _, direction = name.partition(".")
        tables[section] = {direction: 3} if direction else 3
        with pytest.raises(ScenarioError, match="3 is not a table"):
            resolve(tables)


# files


def test_a_path_is_relative_to_the_scenario_file_or_else_to_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, current = tmp_path / "scenarios", tmp_path / "current"
    for place in (folder, current):
        place.mkdir()
    monkeypatch.chdir(current)
    demo = folder / "demo.toml"
    text = '[qpu]\nround_period = "1 us"\n[code]\nsource = "circuit"\ncircuit = "a.stim"\n'
    assert mistakes(demo, text) == [
        (
            f'demo.toml:5: code.circuit: "a.stim" does not exist: there is neither '
            f'"{folder / "a.stim"}" nor "a.stim"; correct the path'
        )
    ]
    (current / "a.stim").touch()
    assert load(demo, text).scenario.code.circuit == Path("a.stim")  # type: ignore[union-attr]
    (folder / "a.stim").touch()
    assert load(demo, text).scenario.code.circuit == folder / "a.stim"  # type: ignore[union-attr]


# dump


@pytest.mark.usefixtures("preset_folder")
def test_a_dump_loads_as_an_equal_scenario(demo: Path) -> None:
    text = with_qpu('preset = "fast"\nreadout = { median = "333.333 ns" }') + (
        '[fpga]\nclock = "322.265625 MHz"\n[link.up]\npreset = "cable"\nrate = "1.5 Gbit/s"\n'
        '[decoder]\npreset = "vouched"\ntiming = { kind = "quantiles", '
        'points = { "0.5" = "1 us", "0.99" = "2 us" } }\n[feedback]\nevery = 5\n'
    )
    scenario = load(demo, text).scenario
    written = dump(scenario)
    assert resolve(written).scenario == Scenario.model_validate(written) == scenario
    assert written["fpga"]["clock"] == "322.265625 MHz"
    assert dump(resolve(written).scenario) == written


def test_the_version_of_a_scenario_is_checked() -> None:
    assert resolve({**minimal(), "schema_version": 2}).scenario == resolve(minimal()).scenario
    with pytest.raises(ScenarioError, match=r"1 is no version .*; rename predecoder\.kind"):
        resolve({**minimal(), "schema_version": 1})
    for version in (3, "2", True, 2.0):
        with pytest.raises(ScenarioError, match=r"schema_version: .* write schema_version = 2"):
            resolve({**minimal(), "schema_version": version})
