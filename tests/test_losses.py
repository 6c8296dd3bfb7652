"""Nothing is lost, filtered or left out without a count, a reason, and an end of the build that
says so; and what was mended is built again."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from making import (
    boxes,
    built,
    coco_annotation,
    coco_document,
    coco_image,
    files_in,
    jpeg,
    ledger_in,
    manifest_of,
    proxy_of,
    run_lengths,
    sa1b_members,
    sa1b_pair,
    samples_in,
    tar_of,
    write_coco,
)

from sgt_data.cli.app import main
from sgt_data.corpus import reasons, receipt, revoking
from sgt_data.corpus.header import read_header
from sgt_data.corpus.reasons import frequent_reasons, without_own_words
from sgt_data.engine import build, build_stages
from sgt_data.engine.build_report import BuildReport
from sgt_data.engine.cluster import IN_PROCESS
from sgt_data.records import QuarantineRow
from sgt_data.verify.check_corpus import verify_corpus

NUMBERS = range(1, 13)
PICTURES = {f"{number:012d}.jpg": jpeg(64, 48, number) for number in NUMBERS}
INSTANCE = [proxy_of("instance", filters={"crowds": "drop"}), {"type": "mae"}]
Document = dict[str, Any]


def document(**fields: Any) -> Document:
    """Instances; every annotation has `fields`."""
    annotations = [
        coco_annotation(10 * n, n, run_lengths(boxes(64, 48, 1, seed=n)[0]), **fields)
        for n in NUMBERS
    ]
    return coco_document([coco_image(n) for n in NUMBERS], annotations)


def coco(root: Path, instances: Document) -> Document:
    folder = write_coco(root, PICTURES, {"instances": instances})
    return {"type": "coco", "root": str(folder), "annotations": ["instances"]}


def test_a_build_whose_filters_leave_nothing_fails(tmp_path: Path) -> None:
    """CVAT writes `iscrowd: 1` on every mask: all is filtered, and no shard is wrong."""
    source = coco(tmp_path / "in", document(iscrowd=1))
    report = built(tmp_path / "out", source, INSTANCE[:1])
    assert report.complete
    assert not report.succeeded
    assert report.too_filtered == {"instance": 1.0}
    assert report.empty == ["instance"]
    assert verify_corpus(str(tmp_path / "out"), deep=True).sound
    allowed = built(tmp_path / "out", source, INSTANCE[:1], max_filtered=1.0)
    assert (allowed.built_shards, allowed.too_filtered) == (0, {})
    assert not allowed.succeeded, "no sample at all is a failure whatever is allowed"


def test_the_bound_of_filtered_inputs_is_a_tolerance(tmp_path: Path) -> None:
    instances = document()
    for annotation in instances["annotations"][:6]:
        annotation["iscrowd"] = 1
    source = coco(tmp_path / "in", instances)
    assert built(tmp_path / "out", source, INSTANCE).succeeded
    report = built(tmp_path / "out", source, INSTANCE, max_filtered=0.4)
    assert not report.succeeded
    assert report.too_filtered == {"instance": 0.5}


def write_manifest(place: Path, source: Document, **more: Any) -> str:
    manifest = {
        "name": "made", "shard_samples": 4, "pictures": {"min_side": 32, "max_side": 96},
        "sources": [source], "proxies": INSTANCE,
    }  # fmt: skip
    place.write_text(yaml.safe_dump(manifest | more))
    return str(place)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out, printed.err


def test_the_end_of_a_build_says_what_was_lost_and_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    instances = document(iscrowd=1)
    instances["annotations"][0] |= {"iscrowd": 0, "category_id": 77}
    source = coco(tmp_path / "in", instances)
    (Path(source["root"]) / "train2017" / "000000000002.jpg").unlink()
    manifest = write_manifest(tmp_path / "m.yaml", source, max_filtered=0.5)
    out = str(tmp_path / "out")
    in_process(monkeypatch)
    code, printed, told = run(capsys, "build", manifest, "--output", out, "--json")
    assert code == 1
    for text in (
        "10 filtered (instance): … visible segments, min_segments is …; such as 000000000003.jpg",
        "2 damaged (instance, mae): there is no file … in train2017",
        "there is no file 000000000002.jpg in train2017",
        "instance: 83.3% of the inputs are filtered out, max_filtered allows 50.0%",
        "--set max_filtered=",
        "instance: no input became a sample",
        "--retry-damaged",
    ):
        assert text in told, told
    told_reasons = json.loads(printed)["reasons"]
    assert [reason["rows"] for reason in told_reasons] == [10, 2, 1]
    code, printed, _ = run(capsys, "info", out, "--json")
    shown = json.loads(printed)
    assert shown["reasons"] == told_reasons
    beyond = "instance: 83.3% of the inputs are filtered out, max_filtered allows 50.0%"
    assert beyond in shown["beyond_bounds"]
    _, printed, _ = run(capsys, "info", out)
    assert "10 filtered (instance)" in (words := " ".join(printed.split()))
    assert beyond in words
    assert "made (built to its end, but failed: it lost more" in words
    assert "complete" not in words


def test_the_end_of_a_build_advises_a_retry_only_where_it_can_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sizes of photographs in a folder are what such a corpus is known by."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(jpeg(64, 48, 1))
    (folder / "b.jpg").write_bytes(jpeg(64, 48, 2)[:300])
    source = {"type": "folder", "name": "photos", "pictures": str(folder)}
    manifest = write_manifest(tmp_path / "m.yaml", source, proxies=[{"type": "mae"}])
    in_process(monkeypatch)
    out = str(tmp_path / "out")
    _, _, told = run(capsys, "build", manifest, "--output", out)
    assert "sources.photos.pictures are mended" in told
    assert "build into a new --output" in told
    assert "--retry-damaged" not in told
    (tmp_path / "normals").mkdir()
    (tmp_path / "normals" / "a.png").write_bytes(b"no picture")
    source |= {"normals": f"{tmp_path}/normals", "intrinsics": f"{tmp_path}/cameras.json"}
    (tmp_path / "cameras.json").write_text('{"pictures": {}}')
    views = write_manifest(tmp_path / "v.yaml", source, proxies=[{"type": "normals"}])
    _, _, told = run(capsys, "build", views, "--output", str(tmp_path / "views"))
    assert (
        "Where the files of sources.photos.pictures or the files of sources.photos.normals or the "
        "files of sources.photos.intrinsics are mended" in told
    )
    code, _, told = run(capsys, "build", manifest, "--output", out, "--retry-damaged", "--dry-run")
    assert code == 2
    assert "give one of the two" in told


def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command line work in this process, and with a bound of its own."""
    original = build.build_corpus

    def build_here(manifest: Any, output: str, **options: Any) -> BuildReport:
        return original(manifest, output, **options | {"cluster": IN_PROCESS})

    monkeypatch.setattr(build, "build_corpus", build_here)


def test_reasons_are_counted_without_what_they_say_of_one_input() -> None:
    rows = [
        ("depth", {"kind": "damaged", "reason": f"there is no a/{n}.png", "member": f"{n}.jpg"})
        for n in range(5)
    ]
    rows += [("edge", {"kind": "damaged", "reason": "it is 1x2", "member": "x"})]
    first, second = frequent_reasons(rows)
    assert (first.rows, first.folders, first.example) == (5, ("depth",), "0.jpg")
    assert first.example_reason == "there is no a/0.png"
    assert second.reason == "it is …x…"
    assert without_own_words("size [3, 4] of 'cat', id 7") == "size … of …, id …"
    assert without_own_words("its 37,348 colours") == without_own_words("its 198 colours")


def test_of_very_many_ledgers_a_part_is_read_and_the_count_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reasons, "_LEDGERS_MAX", 2)
    row = asdict(QuarantineRow("", "s", "p", "x.jpg", "damaged", "it is bad"))
    for number in range(4):
        (tmp_path / f"{number}.jsonl").write_text(json.dumps(row) + "\n")
    (reason,) = reasons.reasons_in(str(tmp_path), [("depth", f"{n}.jsonl") for n in range(4)])
    assert str(reason).startswith("2 damaged in 50% of the ledgers (depth): it is bad")


PLACES = ["000000000002.jpg", "000000000011.jpg"]


def without_pictures(source: Document) -> None:
    for name in PLACES:
        (Path(source["root"]) / "train2017" / name).unlink()


def put_back(source: Document) -> None:
    for name in PLACES:
        (Path(source["root"]) / "train2017" / name).write_bytes(PICTURES[name])


@pytest.mark.parametrize("inputs", ["embedded", "shared"])
def test_what_was_mended_is_built_again_and_nothing_else(tmp_path: Path, inputs: str) -> None:
    source = coco(tmp_path / "in", document())
    assert built(tmp_path / "whole", source, INSTANCE, inputs=inputs).succeeded
    without_pictures(source)
    out = tmp_path / "out"
    built(out, source, INSTANCE, inputs=inputs)
    kept = {path: path.stat().st_mtime_ns for path in out.rglob("*00001*")}
    put_back(source)
    assert built(out, source, INSTANCE, inputs=inputs).built_shards == 0
    report = retried(out, source, INSTANCE, inputs=inputs)
    folders = len(report.totals)
    assert (report.built_shards, report.found_shards) == (2 * folders, folders)
    assert report.succeeded
    assert files_in(out) == files_in(tmp_path / "whole")
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*00001*")} == kept


def test_a_link_to_a_picture_that_is_not_fetched_costs_that_picture_until_it_is(
    tmp_path: Path,
) -> None:
    source = coco(tmp_path / "in", document())
    assert built(tmp_path / "whole", source, INSTANCE).succeeded
    without_pictures(source)
    for name in PLACES:
        place = Path(source["root"]) / "train2017" / name
        place.symlink_to(f"../../annex/{name}")
    report = built(tmp_path / "out", source, INSTANCE)
    assert report.complete
    reasons = [row["reason"] for row in ledger_in(tmp_path / "out", "instance")]
    assert len(reasons) == 2
    assert all("is a link to ../../annex/" in reason for reason in reasons)
    assert all("which is not there" in reason for reason in reasons)
    (tmp_path / "annex").mkdir()
    for name in PLACES:
        (tmp_path / "annex" / name).write_bytes(PICTURES[name])
    assert retried(tmp_path / "out", source, INSTANCE).succeeded
    assert files_in(tmp_path / "out") == files_in(tmp_path / "whole")


def test_damage_of_one_proxy_is_retried_for_that_proxy_alone(tmp_path: Path) -> None:
    instances = document()
    instances["annotations"][0]["category_id"] = 77
    source = coco(tmp_path / "in", instances)
    built(tmp_path / "out", source, INSTANCE)
    before = files_in(tmp_path / "out")
    report = retried(tmp_path / "out", source, INSTANCE)
    assert report.built_shards == 1
    assert files_in(tmp_path / "out") == before


def mended(root: Path) -> Document:
    """A source whose pictures were put back: `out` lacks them, and `whole` was built with them."""
    source = coco(root / "in", document())
    assert built(root / "whole", source, INSTANCE).succeeded
    without_pictures(source)
    built(root / "out", source, INSTANCE)
    put_back(source)
    return source


@pytest.mark.parametrize("moment", [0, 1, 3])
def test_a_retry_that_is_killed_leaves_what_the_same_command_finishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    """Killed before, between and after the revoking of shards."""
    source = mended(tmp_path)
    revoked: list[tuple[str, ...]] = []

    def killed(*place: str) -> None:
        if len(revoked) == moment:
            raise KeyboardInterrupt
        revoked.append(place)
        receipt.revoke(*place)

    with monkeypatch.context() as patch:
        patch.setattr(revoking, "revoke", killed)
        with pytest.raises(KeyboardInterrupt):
            retried(tmp_path / "out", source, INSTANCE)
    header = read_header(str(tmp_path / "out"))
    assert header is not None
    assert not header.complete
    for command in (retried, built):
        place = tmp_path / command.__name__
        shutil.copytree(tmp_path / "out", place)
        command(place, source, INSTANCE)
        if command is built:  # what was not revoked yet, nobody asked for
            retried(place, source, INSTANCE)
        assert files_in(place) == files_in(tmp_path / "whole")


def test_a_retry_that_is_killed_while_it_builds_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = mended(tmp_path)
    committed: list[tuple[Any, ...]] = []

    def killed(*arguments: Any) -> Any:
        if committed:
            raise KeyboardInterrupt
        committed.append(arguments)
        return receipt.commit(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(build_stages, "commit", killed)
        with pytest.raises(KeyboardInterrupt):
            retried(tmp_path / "out", source, INSTANCE)
    report = retried(tmp_path / "out", source, INSTANCE)
    assert report.built_shards == 3, "the shard that was built again is sound, and stays"
    assert files_in(tmp_path / "out") == files_in(tmp_path / "whole")


def test_a_retry_leaves_keys_of_two_tars_where_they_are(tmp_path: Path) -> None:
    """That a key is taken is damage that nobody can mend."""
    for number, first in enumerate((1, 4)):
        members = [m for n in range(first, first + 6) for m in sa1b_pair(n)]
        (tmp_path / f"sa_{number}.tar").write_bytes(tar_of(members))
    source = {"type": "sa1b", "tars": f"{tmp_path}/sa_*.tar"}
    report = built(tmp_path / "out", source)
    assert report.totals["entity"]["damaged"] == 3
    before = files_in(tmp_path / "out")
    retried(tmp_path / "out", source)
    assert files_in(tmp_path / "out") == before


def test_a_mended_tar_that_had_lost_a_nameless_input_is_cut_anew(tmp_path: Path) -> None:
    """Its later shards begin one input earlier in the whole tar."""
    members = sa1b_members(12)
    # further members keep the damage away from the edges, by which a tar is known
    members = [*members, ("notes.bin", bytes(1 << 17))]
    members.insert(0, ("begin.bin", bytes(1 << 17)))
    whole = tar_of(members)
    tar = bytearray(whole)
    at = whole.index(b"sa_6.jpg\0")
    end = whole.index(b"sa_7.jpg\0")
    tar[at:end] = b"x" * (end - at)
    place = tmp_path / "sa_0.tar"
    source = {"type": "sa1b", "tars": str(place)}
    place.write_bytes(bytes(tar))
    report = built(tmp_path / "out", source)
    assert report.totals["entity"]["damaged"] == 1
    assert [row["key"] for row in ledger_in(tmp_path / "out")] == [""]
    place.write_bytes(whole)
    report = retried(tmp_path / "out", source)
    assert (report.built_shards, report.found_shards) == (2, 1)
    assert built(tmp_path / "whole", source).succeeded
    assert files_in(tmp_path / "out") == files_in(tmp_path / "whole")
    assert len(samples_in(tmp_path / "out")) == 12


def retried(output: Path, source: Document, proxies: Any = None, **more: Any) -> BuildReport:
    """Build with the damaged shards retried, in this process."""
    manifest = manifest_of(source, proxies, **more)
    return build.build_corpus(manifest, str(output), cluster=IN_PROCESS, retry_damaged=True)
