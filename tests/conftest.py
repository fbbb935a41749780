"""What holds for every test: a limit of processor time, and a cache of its own for compilers."""

import os
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

LIMIT_S = 900
"""Processor time of this process, so that neither other work nor a compiler counts."""

os.environ.setdefault("ROUNDTRIP_CACHE", str(Path(__file__).parents[1] / "sim_build" / "cache"))

# Hypothesis measures elapsed time
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


# A shell ignores interrupts in what it starts in the background, and so would every program that a
# test starts and interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def both_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the loop on both engines in every run of a scenario, and compare all that they leave."""
    from tests.loop.equality import run_both  # noqa: PLC0415  # few tests need it

    monkeypatch.setattr("emulator.run.simulation.run_engine", run_both)


@contextmanager
def limited(seconds: float) -> Generator[None]:
    """Fail when the block takes more than ``seconds`` of processor time."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        pytest.fail(f"takes more than {seconds:g} s of processor time")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None]:
    with limited(LIMIT_S):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    if item.get_closest_marker("unlimited") is not None:
        yield
        return
    with limited(LIMIT_S):
        yield
