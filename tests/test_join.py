"""Join: a copy that was pushed without its pictures becomes the corpus again, byte for byte, from
the pictures that it was built from and from no others. The Hub is `hub_server`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hub_server
import making
import numpy as np
import pytest
from hub_server import Hub
from PIL import Image
from pushing import SHARED, files_in, run
from scaling import build_scaling

from sgt_data import (
    IN_PROCESS,
    SubsetRule,
    build_corpus,
    join_pictures,
    open_corpus,
    push_corpus,
    subset,
    verify_corpus,
)
from sgt_data.corpus import identity
from sgt_data.corpus.paths import INPUT, LEFT_OUT_FILE
from sgt_data.errors import CorpusError, CorpusMismatch, ManifestError, RequestError
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.publish.join_report import JoinReport
from sgt_data.scenes.write_samples import write_samples

REPO = "somebody/targets"
URL = f"hf://datasets/{REPO}"
PICTURES = 6
"""Of each of two sources."""

PROXIES = [SHARED["proxies"][number] for number in (0, 2, 3, 5)]
PROXIES += [{"type": "generate", "of": "entity"}, {"type": "generate", "of": "denoise"}]
DRAWN = ("entity", "edge", "generate-entity")
WITH_PICTURES = (INPUT, "boxes-over-it", "denoise", "generate-denoise")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sources")
    write_samples(str(root), PICTURES, seed=3, size=(128, 96), pictures_per_tar=3)
    return root


@pytest.fixture(scope="module")
def whole(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("join") / "whole"
    build_scaling(sources, root, **SHARED | {"shard_samples": 3, "proxies": PROXIES})
    return root


@pytest.fixture(scope="module")
def repository(whole: Path) -> hub_server.Repository:
    """What a push without pictures has made."""
    with pytest.MonkeyPatch.context() as patch, hub_server.used(patch) as server:
        assert push_corpus(str(whole), REPO).complete
        return server.repositories[REPO]


@pytest.fixture
def copy(repository: hub_server.Repository, hub: Hub, tmp_path: Path) -> Path:
    """What a person downloads of it; the Hub has it as well."""
    branches = {"main": dict(repository.branches["main"])}
    hub.repositories[REPO] = hub_server.Repository(False, branches)
    return hub.write_to(tmp_path / "copy", REPO)


def pushed(hub: Hub, corpus: Path | str, folder: Path) -> Path:
    assert push_corpus(str(corpus), REPO).complete
    return hub.write_to(folder, REPO)


def places(sources: Path) -> list[str]:
    return [f"sources.sa1b.tars={sources}/sa1b/sa_*.tar", f"sources.coco.root={sources}/coco"]


def joined(copy: Path | str, sources: Path, **more: Any) -> JoinReport:
    return join_pictures(str(copy), places(sources), cluster=IN_PROCESS, **more)


def every_file(corpus: Path) -> dict[str, bytes]:
    """With the README.md, without what the Hub's own clients leave."""
    return {
        path: data for path, data in making.files_in(corpus).items() if path != ".gitattributes"
    }


def own_sources(sources: Path, folder: Path) -> Path:
    shutil.copytree(sources, folder)
    return folder


def first_picture(sources: Path) -> Path:
    return min((sources / "coco" / "train2017").iterdir())


def test_a_copy_becomes_the_corpus_byte_for_byte(sources: Path, whole: Path, copy: Path) -> None:
    assert open_corpus(str(copy)).header.left_out == WITH_PICTURES
    targets = files_in(copy)
    report = joined(copy, sources)
    assert report.succeeded and report.checked == 2 * PICTURES
    assert every_file(copy) == every_file(whole)
    assert all(every_file(copy)[path] == data for path, data in targets.items() if "/" in path)
    assert verify_corpus(str(copy), deep=True).sound
    assert {sample.input for sample in open_corpus(str(copy)).samples("edge")}


def test_a_copy_on_the_hub_is_fetched_and_completed_elsewhere(
    sources: Path, whole: Path, copy: Path, hub: Hub, tmp_path: Path
) -> None:
    with pytest.raises(RequestError, match=r"lies on the Hub.*--output"):
        joined(URL, sources)
    hub.requests.clear()
    report = joined(URL, sources, output=tmp_path / "out")
    assert report.succeeded and report.fetched_shards == len(
        [path for path in files_in(copy) if path.startswith("receipts/")]
    )
    assert every_file(tmp_path / "out") == every_file(whole)
    asked = {path for _, path, _ in hub.requests if path.endswith(".tar")}
    assert {path.split("/")[-2] for path in asked} == set(DRAWN)


@pytest.mark.parametrize("form", ["keys", "whole shards", "where", "pushed copy"])
def test_a_subset_becomes_what_its_copy_is(
    sources: Path, whole: Path, hub: Hub, tmp_path: Path, form: str
) -> None:
    rule = SubsetRule(
        whole_shards=form == "whole shards", where="segments > 6" if form == "where" else None
    )
    file, expected = f"{tmp_path}/part.subset.parquet", tmp_path / "expected"
    subset(str(whole), 0.5, rule=rule, file=file)
    subset(str(whole), 0.5, rule=rule, output=str(expected))
    copy = pushed(hub, expected if form == "pushed copy" else file, tmp_path / "copy")
    assert joined(copy, sources).succeeded
    assert every_file(copy) == every_file(expected)
    assert verify_corpus(str(copy), deep=True).sound


def test_pictures_that_differ_or_are_missing_are_named_before_anything_is_written(
    sources: Path, whole: Path, copy: Path, tmp_path: Path
) -> None:
    mine = own_sources(sources, tmp_path / "mine")
    pictures = sorted((mine / "coco" / "train2017").iterdir())
    Image.new("RGB", (128, 96)).save(pictures[0])
    pictures[2].unlink()
    before = making.files_in(copy)
    report = joined(copy, mine)
    assert not report.succeeded and not report.complete
    assert report.differing_by_kind == {"differs": 1, "missing": 1}
    assert {each.member for each in report.differing} == {pictures[0].name, pictures[2].name}
    assert making.files_in(copy) == before
    report.write_differences(tmp_path / "differences.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "differences.jsonl").read_bytes().splitlines()]
    assert [row["kind"] for row in rows] == [each.kind for each in report.differing]
    assert "SHA-256" in rows[0]["detail"] or "SHA-256" in rows[1]["detail"]
    for name in (pictures[0].name, pictures[2].name):
        shutil.copy(sources / "coco" / "train2017" / name, mine / "coco" / "train2017" / name)
    assert joined(copy, mine).succeeded
    assert every_file(copy) == every_file(whole)


def test_a_picture_that_a_tar_lacks_is_missing(hub: Hub, tmp_path: Path) -> None:
    """The tar has the same size, begin and end, which is all that a build notes of it."""
    rng, place = np.random.default_rng(0), tmp_path / "sa_000000.tar"
    members: making.Members = []
    for number in (1, 2, 3):
        noise = Image.fromarray(rng.integers(0, 256, (256, 256, 3), dtype=np.uint8))
        document = making.sa1b_document(number, making.boxes(256, 256), 256, 256)
        members.append((f"sa_{number}.jpg", making.encoded(noise, quality=95)))
        members.append((f"sa_{number}.json", json.dumps(document).encode()))
    place.write_bytes(making.tar_of(members))
    source = {"type": "sa1b", "tars": str(place)}
    manifest = shared_manifest(source, ["edge", "denoise"])
    assert build_corpus(manifest, tmp_path / "whole", cluster=IN_PROCESS).succeeded
    copy = pushed(hub, tmp_path / "whole", tmp_path / "copy")
    members = [(name.replace("sa_2", "no_2"), data) for name, data in members]
    place.write_bytes(making.tar_of(members))
    before = making.files_in(copy)
    report = join_pictures(copy, [f"sources.sa1b.tars={place}"], cluster=IN_PROCESS)
    assert [(each.kind, each.member) for each in report.differing] == [("missing", "sa_2.jpg")]
    assert making.files_in(copy) == before


def test_a_dry_run_compares_and_writes_nothing(sources: Path, copy: Path, tmp_path: Path) -> None:
    before = making.files_in(copy)
    report = joined(copy, sources, output=tmp_path / "out", dry_run=True)
    assert report.succeeded and not report.complete and report.checked == 2 * PICTURES
    assert making.files_in(copy) == before and not (tmp_path / "out").exists()


def test_other_sources_are_refused_by_what_differs(
    sources: Path, copy: Path, tmp_path: Path
) -> None:
    mine = own_sources(sources, tmp_path / "mine")
    annotations = mine / "coco" / "annotations" / "instances_train2017.json"
    annotations.write_bytes(annotations.read_bytes() + b" ")
    with pytest.raises(
        CorpusMismatch, match=r"files\.coco\.instances\.json: its content is another now"
    ):
        joined(copy, mine)
    shutil.copy(sources / "coco/annotations/instances_train2017.json", annotations)
    max((mine / "sa1b").glob("*.tar")).unlink()
    with pytest.raises(
        CorpusMismatch, match=r"files\.sa1b\.sa_000001\.tar.*now gone(.|\n)*--source"
    ):
        joined(copy, mine)


def test_a_source_without_a_place_is_asked_for(sources: Path, copy: Path) -> None:
    """No place that a copy names is opened, also where it exists."""
    with pytest.raises(
        ManifestError, match=r"sources\.1\.root: must be given(.|\n)*--source"
    ) as why:
        join_pictures(copy, places(sources)[:1], cluster=IN_PROCESS)
    assert str(sources) not in str(why.value)
    nowhere = [places(sources)[0], "sources.coco.root=/nowhere"]
    with pytest.raises(RequestError, match=r"/nowhere.*--source sources\.coco\.FIELD=URL"):
        join_pictures(copy, nowhere, cluster=IN_PROCESS)


def test_what_is_killed_goes_on_where_it_was(
    sources: Path, whole: Path, copy: Path, hub: Hub
) -> None:
    """Until the last moment the copy is what it was."""
    code = """
import os, threading
from sgt_data.publish import put_back
commit, committed, lock = put_back.commit, [], threading.Lock()
def commit_or_die(root, encoded):
    with lock:  # shards are made side by side
        if len(committed) == 5:
            os._exit(9)
        committed.append(commit(root, encoded))
        return committed[-1]
put_back.commit = commit_or_die
"""
    options = [argument for place in places(sources) for argument in ("--source", place)]
    assert run(hub, "join", copy, *options, code=code).returncode == 9
    begun = open_corpus(str(copy))
    assert begun.header.complete and begun.header.left_out == WITH_PICTURES
    assert len(list((copy / "receipts" / INPUT).iterdir())) >= 1
    report = joined(copy, sources)
    assert report.succeeded and report.found_shards == 5
    assert every_file(copy) == every_file(whole)


def test_a_fetch_that_breaks_off_goes_on_where_it_was(
    sources: Path, whole: Path, copy: Path, hub: Hub, tmp_path: Path
) -> None:
    hub.trouble = lambda method, path: 403 if path.endswith("tar") and "/edge/" in path else None
    out = tmp_path / "out"
    report = joined(URL, sources, output=out)
    assert report.failures and not report.complete and report.fetched_shards
    assert not open_corpus(str(out)).header.complete
    hub.trouble = lambda method, path: None
    again = joined(URL, sources, output=out)
    assert again.succeeded and again.fetched_shards == len(report.failures)
    assert every_file(out) == every_file(whole)


def test_a_target_that_is_not_what_its_receipt_says_is_not_taken(
    sources: Path, copy: Path, tmp_path: Path
) -> None:
    tar = min((copy / "edge").glob("*.tar"))
    data = bytearray(tar.read_bytes())
    data[700] ^= 1
    tar.write_bytes(data)
    report = joined(copy, sources, output=tmp_path / "out")
    (failure,) = report.failures
    assert failure.part == f"edge/{tar.stem}" and "SHA-256" in failure.message
    assert not (tmp_path / "out" / "edge" / tar.name).exists()


def test_another_output_is_refused(sources: Path, copy: Path, tmp_path: Path) -> None:
    build_scaling(sources, tmp_path / "other", seed=12)
    with pytest.raises(CorpusMismatch, match="seed: in the corpus 12, now 11"):
        joined(copy, sources, output=tmp_path / "other")
    with pytest.raises(RequestError, match="needs a folder of its own"):
        joined(copy, sources, output=sources)


def test_versions_that_change_no_byte_are_noted(
    sources: Path, whole: Path, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = {**identity.codec_versions(), "pillow": "1.0"}
    monkeypatch.setattr(identity, "codec_versions", lambda: versions)
    report = joined(copy, sources)
    assert report.succeeded and any("codecs.pillow" in note for note in report.notes)
    assert every_file(copy) == every_file(whole)


def test_versions_are_refused_where_nothing_proves_that_they_change_no_byte(
    sources: Path, whole: Path, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = f"{tmp_path}/part.subset.parquet"
    subset(str(whole), 0.5, file=file)
    copy = pushed(hub, file, tmp_path / "copy")
    versions = {**identity.codec_versions(), "pillow": "1.0"}
    monkeypatch.setattr(identity, "codec_versions", lambda: versions)
    with pytest.raises(CorpusMismatch, match=r"codecs\.pillow.*now '1\.0'(.|\n)*install those"):
        joined(copy, sources)


def shared_manifest(source: dict[str, Any], proxies: list[str]) -> Any:
    return parse_manifest(
        {
            "name": "made", "seed": 1, "shard_samples": 4, "inputs": "shared",
            "pictures": making.SMALL, "max_quarantined": 1, "sources": [source],
            "proxies": [{"type": name} for name in proxies],
        }
    )  # fmt: skip


def test_a_shard_that_would_be_another_is_not_written(hub: Hub, tmp_path: Path) -> None:
    """One picture was damaged when the corpus was built, and is whole now: no copy names it."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(6):
        (photos / f"{number}.jpg").write_bytes(making.jpeg(64, 48, number))
    sound = (photos / "2.jpg").read_bytes()
    (photos / "2.jpg").write_bytes(sound[:40] + bytes(len(sound) - 40))
    manifest = shared_manifest({"type": "folder", "pictures": str(photos)}, ["edge", "denoise"])
    build_corpus(manifest, tmp_path / "whole", cluster=IN_PROCESS)
    copy = pushed(hub, tmp_path / "whole", tmp_path / "copy")
    damaged = (photos / "2.jpg").read_bytes()
    (photos / "2.jpg").write_bytes(sound)
    place = [f"sources.folder.pictures={photos}"]
    report = join_pictures(copy, place, cluster=IN_PROCESS)
    assert not report.complete and "not be byte-identical" in report.failures[0].message
    assert open_corpus(str(copy)).header.left_out
    (photos / "2.jpg").write_bytes(damaged)
    assert join_pictures(copy, place, cluster=IN_PROCESS).succeeded
    assert every_file(copy) == every_file(tmp_path / "whole")


def test_a_picture_that_two_tars_hold_is_put_back_once(hub: Hub, tmp_path: Path) -> None:
    """And pictures of which no target was drawn are compared too."""
    pairs = [making.sa1b_pair(number) for number in range(1, 6)]
    tars = [[*pairs[0], *pairs[1]], [*pairs[1], *pairs[2], *pairs[3]], [*pairs[1], *pairs[4]]]
    for number, members in enumerate(tars):
        members_tar = making.tar_of(members)
        (tmp_path / f"sa_{number:06d}.tar").write_bytes(members_tar)
    source = {"type": "sa1b", "tars": f"{tmp_path}/sa_*.tar"}
    proxies = [
        {"type": "segmentation", "variant": "entity", "filters": {"min_segments": 99}},
        {"type": "edge"}, {"type": "mae"},
    ]  # fmt: skip
    fields = shared_manifest(source, ["edge"]).resolved() | {"proxies": proxies}
    build_corpus(parse_manifest(fields), tmp_path / "whole", cluster=IN_PROCESS)
    copy = pushed(hub, tmp_path / "whole", tmp_path / "copy")
    report = join_pictures(copy, [f"sources.sa1b.tars={tmp_path}/sa_*.tar"], cluster=IN_PROCESS)
    assert report.succeeded and report.checked == 5
    assert every_file(copy) == every_file(tmp_path / "whole")


def test_what_lacks_nothing_and_what_states_nothing(sources: Path, whole: Path, copy: Path) -> None:
    report = join_pictures(str(whole))
    assert report.succeeded and "lacks no pictures" in report.notes[0]
    (copy / LEFT_OUT_FILE).unlink()
    with pytest.raises(RequestError, match=f"no {LEFT_OUT_FILE}.*sgt-data build MANIFEST"):
        joined(copy, sources)


def spoiled_records(record: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    corpus = record["corpus"]
    yield {**record, "version": 2}, "version"
    yield {**record, "receipts": {INPUT: ["ff"]}}, "receipts"
    yield {**record, "receipts": {**record["receipts"], INPUT: []}}, "has 0 digests"
    names = {**corpus, "shards": {**corpus["shards"], INPUT: ["../../away"]}}
    yield {**record, "corpus": names}, "away"
    other = {**corpus, "fingerprints": {**corpus["fingerprints"], "edge": "0" * 64}}
    yield {**record, "corpus": other}, "another corpus"


def test_a_record_that_is_not_of_a_push_is_refused(sources: Path, copy: Path) -> None:
    place = copy / LEFT_OUT_FILE
    record = json.loads(place.read_bytes())
    for spoiled, words in spoiled_records(record):
        place.write_text(json.dumps(spoiled))
        with pytest.raises(CorpusError, match=words):
            joined(copy, sources)
    place.write_bytes(b"{")
    with pytest.raises(CorpusError, match="JSON"):
        joined(copy, sources)


def test_no_code_that_a_record_names_is_loaded(
    sources: Path, whole: Path, copy: Path, tmp_path: Path
) -> None:
    code = tmp_path / "code.py"
    code.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    place = copy / LEFT_OUT_FILE
    record = json.loads(place.read_bytes())
    record["corpus"]["manifest"]["plugins"] = [str(code)]
    place.write_text(json.dumps(record))
    joined(copy, sources)
    assert not (tmp_path / "ran").exists()


def test_a_copy_that_is_pushed_on_still_says_what_it_lacks(
    sources: Path, whole: Path, copy: Path, hub: Hub, tmp_path: Path
) -> None:
    assert push_corpus(str(copy), "somebody/else").complete
    again = hub.write_to(tmp_path / "again", "somebody/else")
    assert joined(again, sources).succeeded
    assert every_file(again) == every_file(whole)


def test_the_record_leaves_the_repository_when_the_pictures_follow(
    whole: Path, copy: Path, hub: Hub
) -> None:
    assert LEFT_OUT_FILE in hub.files(REPO)
    push_corpus(str(whole), REPO, pictures=True)
    assert LEFT_OUT_FILE not in hub.files(REPO)


def test_the_command_joins_and_reports(
    sources: Path, whole: Path, copy: Path, hub: Hub, tmp_path: Path
) -> None:
    options = [argument for place in places(sources) for argument in ("--source", place)]
    mine = own_sources(sources, tmp_path / "mine")
    Image.new("RGB", (128, 96)).save(first_picture(mine))
    wrong = [argument for place in places(mine) for argument in ("--source", place)]
    refused = run(hub, "join", copy, *wrong, "--differences", tmp_path / "rows.jsonl")
    assert refused.returncode == 1 and "Nothing was written" in refused.stderr
    assert first_picture(mine).name in refused.stderr
    assert len((tmp_path / "rows.jsonl").read_bytes().splitlines()) == 1
    done = run(hub, "join", URL, "--output", tmp_path / "out", *options, "--json")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["complete"]
    assert f"next: sgt-data verify {tmp_path / 'out'} --deep" in done.stderr
    assert every_file(tmp_path / "out") == every_file(whole)
    unknown = run(hub, "join", copy)
    assert unknown.returncode == 2 and "--source" in unknown.stderr
