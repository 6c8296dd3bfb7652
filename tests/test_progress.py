"""Progress: phases with seconds, what is done within a shard and by earlier runs, no silence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from corpora import both_sources, file_digests
from nbclient import NotebookClient

from sgt_data import IN_PROCESS, Progress, RequestError, build_corpus, verify_corpus
from sgt_data import progress_display as display
from sgt_data.progress_text import Pace, duration_text, progress_text

INPUTS, SHARD = 24, 4


@pytest.mark.parametrize(
    ("progress", "rate", "text"),
    [
        (Progress(3), None, "3 pictures"),
        (Progress(0, 4_000), None, "0 of 4,000 pictures"),
        (
            Progress(1_344, 4_000, kept=1_024, shards=12, nbytes=1_500_000),
            32.0,
            "1,344 of 4,000 pictures (1,024 from earlier runs), 32.0/s, 1 min 23 s left, "
            "12 shards, 1.5 MB",
        ),
        (Progress(7, 5, exact=False), 1.0, "7 of about 7 pictures"),
        (Progress(8, 10, note="sending 2 shards"), None, "8 of 10 pictures, sending 2 shards"),
    ],
)
def test_progress_is_said_in_words(progress: Progress, rate: float | None, text: str) -> None:
    assert progress_text(progress, "pictures", rate) == text


def test_the_pace_is_that_of_the_last_seconds() -> None:
    pace = Pace(10.0)
    assert pace.per_second(0.0) is None
    for second in range(100):
        pace.mark(second if second < 50 else 50 + 3 * (second - 50), float(second))
    assert pace.per_second(99.0) == pytest.approx(3.0)
    assert [duration_text(each) for each in (0.4, 75, 7_800)] == ["0 s", "1 min 15 s", "2 h 10 min"]


def test_a_log_gets_lines_and_no_bar(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(display, "_LONG_PHASE", 0.0)
    monkeypatch.setattr(display, "_SILENT_SECONDS", 60.0)
    with display.ProgressDisplay("pictures") as bar:
        bar(Progress(0, phase="listing inputs"))
        bar(Progress(0, 10, phase="building", note="note: one proxy is left out"))
        bar(Progress(10, 10, phase="building"))
    out, err = capfd.readouterr()
    assert not out
    assert err.splitlines() == [
        "listing inputs: 0 s", "note: one proxy is left out", "building: 0 s",
    ]  # fmt: skip


def test_a_log_is_not_silent_while_nothing_is_reported(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(display, "_SILENT_SECONDS", 0.01)
    shown = display.ProgressDisplay("pictures", phase="starting Ray")
    with shown:
        shown._face._thread.join(0.5)  # type: ignore[attr-defined]
    assert "starting Ray" in capfd.readouterr().err


def test_a_terminal_shows_a_bar_that_leaves_nothing_but_the_phases(tmp_path: Path) -> None:
    code = (
        "from sgt_data.progress_display import ProgressDisplay\n"
        "from sgt_data.progress import Progress\n"
        "import time\n"
        "with ProgressDisplay('pictures') as bar:\n"
        "    bar(Progress(3, 12, phase='building', kept=2)); time.sleep(1.2)\n"
    )
    command = ["script", "-qec", f'{sys.executable} -c "$CODE"', "/dev/null"]
    environment = {"CODE": code, "PYTHONPATH": ":".join(sys.path), "TERM": "xterm", "COLUMNS": "99"}
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    assert "building: 3 of 12 pictures (2 from earlier runs)" in done.stdout
    assert "building: 1 s" in done.stdout


def test_progress_is_true_false_or_a_function(tmp_path: Path) -> None:
    wrong: Any = "yes"
    with pytest.raises(RequestError, match="progress: found 'yes'; allowed: True, False or a func"):
        verify_corpus(str(tmp_path), progress=wrong)


def test_a_build_reports_within_shards_and_what_was_there(
    sample_sources: Path, tmp_path: Path
) -> None:
    manifest = both_sources(sample_sources, SHARD)
    reports: list[Progress] = []

    def stop(progress: Progress) -> None:
        reports.append(progress)
        if progress.shards and progress.done > 2 * SHARD:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_corpus(manifest, str(tmp_path), cluster=IN_PROCESS, progress=stop)
    assert reports[0].phase == "listing inputs"
    assert all(each.total == INPUTS for each in reports[1:]), "the total comes with the listing"
    assert {each.done for each in reports} > set(range(SHARD)), "each picture counts"

    again: list[Progress] = []
    report = build_corpus(manifest, str(tmp_path), cluster=IN_PROCESS, progress=again.append)
    kept = again[-1].kept
    assert report.succeeded and 0 < kept < INPUTS
    building = [each for each in again if each.phase == "building"]
    assert min(each.done for each in building) >= kept
    assert building[-1].done == building[-1].total == INPUTS

    nothing: list[Progress] = []
    build_corpus(manifest, str(tmp_path), cluster=IN_PROCESS, progress=nothing.append)
    assert "building" not in {each.phase for each in nothing}


LITTLE = """
import sys
from sgt_data import build_corpus
from corpora import both_sources
from pathlib import Path
notes = []
report = build_corpus(both_sources(Path(sys.argv[1]), 4), sys.argv[2],
                      progress=lambda progress: notes.append(progress.note))
assert report.succeeded
assert any("without Ray" in note for note in notes), notes
assert "ray" not in sys.modules
"""


def test_little_work_is_done_without_ray_and_has_the_same_bytes(
    sample_sources: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", LITTLE, str(sample_sources), str(tmp_path / "little")]
    path = [str(Path(__file__).parent), *sys.path]
    subprocess.run(command, check=True, timeout=120, env={"PYTHONPATH": ":".join(path)})
    build_corpus(both_sources(sample_sources, SHARD), str(tmp_path / "asked"), cluster=IN_PROCESS)
    assert file_digests(tmp_path / "little") == file_digests(tmp_path / "asked")


def test_a_notebook_shows_progress_below_the_cell(tmp_path: Path) -> None:
    code = (
        "from sgt_data import write_samples\n"
        "summary = write_samples('scenes', 2, size=(64, 48), progress=True)"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    (output,) = notebook.cells[0].outputs
    assert output.output_type == "display_data"
    assert "4 of 4 pictures" in output.data["text/html"]
