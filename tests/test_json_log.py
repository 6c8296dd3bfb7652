"""`--log-json` writes an event a line, in a form that a schema states, and without secrets."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from making import jpeg, sa1b_members, tar_of

from sgt_data.cli.app import main
from sgt_data.event_log import LOGGER, JsonLines
from sgt_data.files import retries

SCHEMA = json.loads((Path(__file__).parent.parent / "docs" / "log-line.schema.json").read_text())


def ended(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return int(end.value.code or 0)


def events_in(text: str) -> list[dict[str, Any]]:
    """The events of a log; each fits the schema."""
    events = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    for event in events:
        jsonschema.validate(event, SCHEMA)
    return events


def of_kind(events: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [event for event in events if event["event"] == name]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five pictures, one of them damaged, in shards of two; and a tar that ends early."""
    root = tmp_path_factory.mktemp("log")
    (root / "p").mkdir()
    for number in range(5):
        (root / "p" / f"{number}.jpg").write_bytes(jpeg(64, 48, number))
    (root / "p" / "1.jpg").write_bytes(b"\xff\xd8 no picture")
    (root / "cut.tar").write_bytes(tar_of(sa1b_members(3))[:-11_000])
    text = (
        "name: m\nshard_samples: 2\nmax_quarantined: 0.5\n"
        "sources: [{type: folder, pictures: p}, {type: sa1b, tars: cut.tar}]\n"
        "proxies: [{type: edge, sources: [folder]}, {type: edge, name: soft, sources: [folder]}]\n"
    )
    (root / "m.yaml").write_text(text)
    (root / "cut.yaml").write_text(text.replace("[folder]", "[folder, sa1b]"))
    return root / "m.yaml"


def test_a_build_tells_its_phases_shards_losses_and_its_end(manifest: Path, tmp_path: Path) -> None:
    log, output = tmp_path / "log.jsonl", tmp_path / "c"
    assert ended("build", manifest, "--output", output, "--workers", 0, "--log-json", log) == 0
    events = events_in(log.read_text())
    assert [events[0]["event"], events[-1]["event"]] == ["started", "finished"]
    assert (events[-1]["exit_code"], events[-1]["level"]) == (0, "info")
    assert "building" in [event["message"] for event in of_kind(events, "phase")]
    shards = of_kind(events, "shard_committed")
    assert sorted(event["shard"] for event in shards) == [f"folder-{n:05d}" for n in range(3)]
    folders = [folder for event in shards for folder in event["folders"]]
    assert sum(folder["samples"] for folder in folders) == 8
    for name in ("edge", "soft"):
        stored = [folder["bytes"] for folder in folders if folder["folder"] == name]
        tars = (output / name).glob("*.tar")
        assert sorted(stored) == sorted(path.stat().st_size for path in tars)
    lost = of_kind(events, "input_quarantined")
    assert {event["folder"] for event in lost} == {"edge", "soft"}
    assert {(event["member"], event["kind"]) for event in lost} == {("1.jpg", "damaged")}
    (result,) = of_kind(events, "result")
    assert result["result"]["totals"]["edge"]["damaged"] == 1
    assert events == sorted(events, key=lambda event: str(event["time"]))

    assert ended("verify", output, "--log-json", log) == 0
    more = events_in(log.read_text())[len(events) :]
    assert {event["command"] for event in more} == {"verify"}, "a log that exists is continued"


def test_what_fails_and_a_wrong_request_are_told(manifest: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    cut = manifest.parent / "cut.yaml"
    assert ended("build", cut, "--output", tmp_path / "c", "--workers", 0, "--log-json", log) == 1
    events = events_in(log.read_text())
    (failed,) = of_kind(events, "part_failed")
    assert (failed["part"], failed["level"]) == ("sa1b/cut", "error")
    assert (events[-1]["exit_code"], events[-1]["level"]) == (1, "error")

    assert ended("build", manifest, "--output", manifest.parent / "p", "--log-json", log) == 2
    last = events_in(log.read_text())[-1]
    assert (last["event"], last["exit_code"]) == ("finished", 2)
    assert str(manifest.parent / "p") in last["message"]


def test_a_log_on_standard_error_leaves_standard_output_to_results(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "c"
    arguments = ("--output", output, "--workers", 0, "--json", "--log-json", "-")
    assert ended("build", manifest, *arguments) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["complete"]
    assert events_in(printed.err)[-1]["event"] == "finished"


def test_a_log_that_cannot_be_written_is_a_wrong_request(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "no folder" / "log.jsonl"
    assert ended("build", manifest, "--output", tmp_path / "c", "--log-json", place) == 2
    assert "--log-json" in capsys.readouterr().err
    assert not (tmp_path / "c").exists()


def test_no_secret_of_a_url_is_logged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log.jsonl"
    url = "http://user:hunter2@127.0.0.1:9/sa_000000.tar?X-Amz-Signature=hunter2"
    (tmp_path / "m.yaml").write_text(
        f"name: m\nsources: [{{type: sa1b, tars: '{url}'}}]\nproxies: [{{type: edge}}]\n"
    )
    assert ended("build", tmp_path / "m.yaml", "--output", tmp_path / "c", "--log-json", log) != 0
    events = events_in(log.read_text())
    assert "127.0.0.1:9/sa_000000.tar" in events[-1]["message"]
    printed = capsys.readouterr()
    assert "hunter2" not in log.read_text() + printed.out + printed.err


def test_a_retry_is_told_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "PAUSE_SECONDS", 0.0)
    url = "https://host/1.tar?X-Amz-Signature=hunter2"
    answers: list[Exception | None] = [ConnectionResetError(f"{url} was reset"), None]

    def access() -> str:
        if (problem := answers.pop(0)) is not None:
            raise problem
        return "bytes"

    text = io.StringIO()
    handler = JsonLines(text, "build")
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    try:
        assert retries.retried(access, f"cannot read {url}") == "bytes"
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel(logging.NOTSET)
    (event,) = events_in(text.getvalue())
    assert (event["event"], event["attempt"], event["level"]) == ("retried", 1, "warning")
    assert "cannot read https://host/1.tar" in event["message"]
    assert "hunter2" not in text.getvalue()


def test_a_full_disk_ends_the_log_and_not_the_work(capsys: pytest.CaptureFixture[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with open("/dev/full", "w") as full:
        handler = JsonLines(full, "build")
        for _ in range(2):
            handler.handle(logging.makeLogRecord({"msg": "x", "levelname": "INFO"}))
        full.close = lambda: None  # type: ignore[method-assign]
    assert capsys.readouterr().err.count("the log cannot be written") == 1


def test_nobody_hears_events_by_default(caplog: pytest.LogCaptureFixture) -> None:
    assert not LOGGER.isEnabledFor(logging.INFO)
    assert not caplog.records
