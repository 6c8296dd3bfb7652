"""`--profile` and the report say where a build's time went; the stages account for the work."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from corpora import both_sources, both_sources_document
from PIL import Image

from sgt_data.cli.app import main
from sgt_data.engine.build import build_corpus
from sgt_data.engine.build_report import BuildReport
from sgt_data.engine.cluster import IN_PROCESS
from sgt_data.engine.profile import profile_of
from sgt_data.engine.stage_times import Stopwatch, slowest_stage
from sgt_data.pictures.codec_clock import codec_at_work, codec_seconds
from sgt_data.pictures.grey_png import encode_grey, encode_rough


@pytest.fixture(scope="module")
def report(
    sample_sources: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[BuildReport, list[str]]:
    """A build's report, and what its progress said was slowest."""
    slowest: list[str] = []
    built = build_corpus(
        both_sources(sample_sources, 4), tmp_path_factory.mktemp("p") / "c", cluster=IN_PROCESS,
        progress=lambda progress: slowest.append(progress.slowest),
    )  # fmt: skip
    return built, slowest


def test_every_stage_and_every_proxy_has_its_seconds(report: tuple[BuildReport, list[str]]) -> None:
    built, slowest = report
    proxies = {f"draw {name}" for name in ("entity", "instance", "panoptic", "semantic")}
    stages = {"read", "fetch", "decode", "input", "encode", "commit"}
    assert set(built.stage_seconds) == stages | proxies
    assert all(seconds > 0 for seconds in built.stage_seconds.values())
    assert set(built.codec_seconds) == {"picture decoding", "JPEG encoding", "PNG encoding"}
    assert built.built_inputs == 24
    assert any(text.endswith("%)") for text in slowest)


def test_codecs_take_a_part_of_the_stages(report: tuple[BuildReport, list[str]]) -> None:
    built, _ = report
    profile = profile_of(built)
    assert 0 < profile.codec_floor_seconds < profile.work_seconds
    assert profile.above_floor == profile.work_seconds / profile.codec_floor_seconds
    assert sum(row.share for row in profile.stages) == pytest.approx(1)
    decoding = built.codec_seconds["picture decoding"]
    assert decoding <= built.stage_seconds["decode"]


def test_the_command_shows_the_profile_and_gives_it_as_json(
    sample_sources: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = both_sources_document(sample_sources, 4)
    (tmp_path / "m.yaml").write_text(json.dumps(document))
    for name, options in (("table", []), ("json", ["--json"])):
        arguments = ["--output", str(tmp_path / name), "--workers", "0", "--limit", "4"]
        with pytest.raises(SystemExit):
            main(["build", str(tmp_path / "m.yaml"), *arguments, "--profile", *options])
        printed = capsys.readouterr().out
        if name == "table":
            assert "draw panoptic" in printed and "codec floor" in printed
        else:
            profile = json.loads(printed)["profile"]
            assert profile["inputs"] == 8 and profile["above_floor"] > 1


def test_a_codec_within_a_codec_counts_once() -> None:
    before = codec_seconds()
    with codec_at_work("PNG encoding"):
        encode_grey(np.zeros((8, 8), np.uint8))
        time.sleep(0.02)
    taken = codec_seconds()["PNG encoding"] - before.get("PNG encoding", 0.0)
    assert 0.02 <= taken < 2
    encode_rough(np.asarray(Image.new("L", (8, 8))))
    assert codec_seconds()["PNG encoding"] > taken


def test_a_stopwatch_counts_no_time_between_inputs() -> None:
    watch = Stopwatch()
    time.sleep(0.05)
    watch.go_on()
    watch.lap("decode")
    assert watch.taken().stages["decode"] < 0.05
    assert watch.taken().stages == {}
    assert slowest_stage({"read": 1.0, "draw edge": 3.0}) == "draw edge (75%)"
    assert slowest_stage({}) == ""
