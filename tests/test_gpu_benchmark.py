"""The check of the experiment on a GPU, in its small form: it ends with figures, or stops early."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
_ARMS = {"questions alone", "entity", "semantic"}


def run_tiny(output: Path, *arguments: str) -> tuple[int, str, dict[str, Any]]:
    """Exit code, what was printed, and the figures."""
    own = {"PYTHON": sys.executable, "OUT": str(output), "WHEELS": str(output / "none")}
    script = ROOT / "benchmarks" / "gpu" / "experiment.sh"
    done = subprocess.run(
        [str(script), "--tiny", *arguments], env=os.environ | own, capture_output=True, text=True
    )
    file = output / "experiment.json"
    assert file.exists(), done.stderr
    return done.returncode, done.stdout, json.loads(file.read_text())


def test_small_check_times_a_step_first_and_trains_every_arm(tmp_path: Path) -> None:
    code, printed, figures = run_tiny(tmp_path, "--most-ms", "100000")
    assert code == 0, printed
    assert printed.index("] alone:") < printed.index("] stage_0:") < printed.index("] arms:")
    alone, arms = figures["alone"], figures["arms"]
    assert set(arms["runs"]) == set(arms["timed"]) == _ARMS
    for times in (alone, *arms["timed"].values()):
        assert times["wait_ms"] > 0 and times["work_ms"] > 0 and times["step_ms"] > 0
        assert 0 < times["wait_share"] < 1
        assert (times["memory_mib"] is None) == (figures["gpu"] is None)
    for name, run in arms["runs"].items():
        assert run["last"]["step"] == run["steps"] > run["first"]["step"]
        assert ("drawings" in run["last"]) == (name != "questions alone")
        asked = run["validation"]
        assert asked["questions"] > 0 and asked["seeds"] == 1
        assert 0 <= asked["accuracy"] <= 1 and 0 < asked["chance"] < 1
    assert figures["stage_0"]["validation"]["questions"] > 0


def test_too_slow_a_step_ends_the_check_before_anything_is_trained(tmp_path: Path) -> None:
    code, printed, figures = run_tiny(tmp_path, "--pictures", "12", "--most-ms", "0.001")
    assert code == 3
    assert "more than 0.001 ms (--most-ms)" in printed.splitlines()[-1]
    assert figures["stopped"].startswith("a step takes ")
    assert "alone" in figures and not {"stage_0", "arms"} & set(figures)
