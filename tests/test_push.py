"""Push: what arrives at the Hub is the corpus, whole or not at all, and no picture against its
licence. The Hub is `hub_server`; the client is huggingface_hub's own code."""

from __future__ import annotations

import json
import shutil
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import hub_server
import pytest
import webdataset
import yaml
from hub_server import DROP, Hub
from pushing import (
    DRAWN,
    SHARED,
    WITH_PICTURES,
    corpus_files,
    files_in,
    run,
    started,
)
from scaling import build_scaling, keys_of

import sgt_data
from sgt_data import (
    IN_PROCESS,
    SubsetRule,
    open_corpus,
    push_corpus,
    subset,
    verify_corpus,
)
from sgt_data.corpus.receipt import parse_receipt
from sgt_data.errors import (
    CorpusMismatch,
    RequestError,
    SourceError,
    StorageError,
)
from sgt_data.files import reading
from sgt_data.plugins.kinds import Kinds
from sgt_data.proxies.base import Proxy
from sgt_data.proxies.registry import proxy_kinds
from sgt_data.publish import push_plan
from sgt_data.publish.card import MARKER
from sgt_data.publish.push_plan import ShardToPush, batches
from sgt_data.publish.shard_files import committed_files
from sgt_data.scenes.write_samples import write_samples

REPO = "somebody/drawn"
URL = f"hf://datasets/{REPO}"

PICTURES = 12
"""Of each of two sources."""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sources")
    write_samples(str(root), PICTURES, seed=3, size=(128, 96), pictures_per_tar=PICTURES)
    return root


@pytest.fixture(scope="module")
def embedded(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("push") / "embedded"
    build_scaling(sources, root)
    return root


@pytest.fixture(scope="module")
def shared(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("push") / "shared"
    build_scaling(sources, root, **SHARED)
    return root


def small_batches(monkeypatch: pytest.MonkeyPatch, shards: int) -> None:
    monkeypatch.setattr(push_plan, "BATCH_SHARDS", shards)


def pictures_of(corpus: Path) -> set[bytes]:
    """Every JPEG of a corpus: its pictures, clean, degraded or drawn upon."""
    pictures = set()
    opened = open_corpus(str(corpus))
    for proxy in opened.proxies:
        for sample in opened.samples(proxy):
            pictures.add(sample.input)
            if sample.extension == "jpg":
                pictures.add(sample.target)
    return pictures


def test_a_whole_corpus_arrives_byte_for_byte(embedded: Path, hub: Hub, tmp_path: Path) -> None:
    report = push_corpus(str(embedded), REPO, pictures=True)
    assert report.complete and not report.failures and not report.left_out
    assert report.repository == URL
    assert corpus_files(hub.files(REPO)) == files_in(embedded)
    assert verify_corpus(str(hub.write_to(tmp_path, REPO)), deep=True).sound


def test_commits_are_few_and_no_receipt_comes_before_its_shard(
    embedded: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_batches(monkeypatch, 6)
    report = push_corpus(str(embedded), REPO, pictures=True)
    history = hub.repositories[REPO].history
    for number, (_, files) in enumerate(history):
        for path, data in files.items():
            if path.startswith("receipts/"):
                assert committed_files(parse_receipt(data, path)).keys() <= files.keys()
        complete = json.loads(files["corpus.json"])["complete"]
        assert complete == (number == len(history) - 1)
    shards = len(list((embedded / "receipts").rglob("*.json")))
    assert report.commits == len(history) == 2 + -(-shards // 6)


def test_a_batch_is_bounded_in_shards_and_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    small_batches(monkeypatch, 3)
    monkeypatch.setattr(push_plan, "BATCH_BYTES", 100)
    sizes = [40, 60, 1, 1, 1, 1, 250, 30, 70, 10]
    shards = [ShardToPush("edge", str(number), size) for number, size in enumerate(sizes)]
    cut = [[shard.nbytes for shard in batch] for batch in batches(shards)]
    assert cut == [[40, 60], [1, 1, 1], [1], [250], [30, 70], [10]]


def test_a_subset_arrives_as_its_copy_is_made(embedded: Path, hub: Hub, tmp_path: Path) -> None:
    file = f"{tmp_path}/half.subset.parquet"
    subset(str(embedded), 0.5, file=file)
    subset(str(embedded), 0.5, output=f"{tmp_path}/copy")
    push_corpus(file, REPO, pictures=True)
    assert corpus_files(hub.files(REPO)) == files_in(tmp_path / "copy")
    assert verify_corpus(str(hub.write_to(tmp_path / "got", REPO)), deep=True).sound


def test_a_subset_of_whole_shards_arrives_as_its_copy_is_made(
    embedded: Path, hub: Hub, tmp_path: Path
) -> None:
    file = f"{tmp_path}/half.subset.parquet"
    subset(str(embedded), 0.5, rule=SubsetRule(whole_shards=True), file=file)
    subset(str(embedded), 0.5, rule=SubsetRule(whole_shards=True), output=f"{tmp_path}/copy")
    push_corpus(file, REPO, pictures=True)
    assert corpus_files(hub.files(REPO)) == files_in(tmp_path / "copy")


def test_a_corpus_elsewhere_is_pushed_too(embedded: Path, hub: Hub) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.put(str(embedded), "/pushed", recursive=True)
    try:
        push_corpus("memory://pushed", REPO, pictures=True)
    finally:
        memory.rm("/pushed", recursive=True)
    assert corpus_files(hub.files(REPO)) == files_in(embedded)


@pytest.mark.parametrize(("form", "status"), [("whole", 500), ("subset", DROP)])
def test_what_is_stopped_goes_on_where_it_was(
    embedded: Path,
    hub: Hub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    form: str,
) -> None:
    small_batches(monkeypatch, 4)
    expected, pushed = embedded, str(embedded)
    if form == "subset":
        pushed, expected = f"{tmp_path}/half.subset.parquet", tmp_path / "copy"
        subset(str(embedded), 0.5, file=pushed)
        subset(str(embedded), 0.5, output=str(expected))

    def trouble(method: str, path: str) -> int | None:
        repository = hub.repositories.get(REPO)
        third = repository is not None and len(repository.history) == 3
        return status if "/commit/" in path and third else None

    hub.trouble = trouble
    with pytest.raises(StorageError):
        push_corpus(pushed, REPO, pictures=True)
    begun = open_corpus(URL)
    assert not begun.header.complete
    assert sum(len(begun.shards(proxy)) for proxy in begun.proxies) == 8
    hub.trouble = lambda method, path: None
    hub.requests.clear()
    report = push_corpus(pushed, REPO, pictures=True)
    assert report.complete and report.found_shards == 8
    again = {
        path
        for (_, before), (_, after) in zip(
            hub.repositories[REPO].history[2:], hub.repositories[REPO].history[3:], strict=False
        )
        for path in after
        if path in before and before[path] != after[path]
    }
    assert again == {"corpus.json"}
    assert hub.uploaded() < len([path for path in files_in(expected) if hub_server.in_lfs(path)])
    assert corpus_files(hub.files(REPO)) == files_in(expected)


def test_a_push_that_is_killed_goes_on_where_it_was(embedded: Path, hub: Hub) -> None:
    killed = threading.Event()

    def trouble(method: str, path: str) -> int | None:
        repository = hub.repositories.get(REPO)
        if "/commit/" not in path or repository is None or len(repository.history) < 2:
            return None
        killed.set()
        return DROP

    hub.trouble = trouble
    code = "from sgt_data.publish import push_plan; push_plan.BATCH_SHARDS = 4"
    with started(hub, "push", embedded, REPO, "--pictures", code=code) as pushing:
        assert killed.wait(60)
        pushing.kill()
    hub.trouble = lambda method, path: None
    report = push_corpus(str(embedded), REPO, pictures=True)
    assert report.complete and report.found_shards == 4
    assert corpus_files(hub.files(REPO)) == files_in(embedded)


def test_a_commit_whose_answer_is_lost_is_not_made_twice(embedded: Path, hub: Hub) -> None:
    hub.lost_answers = 3
    assert push_corpus(str(embedded), REPO, pictures=True).complete
    assert hub.lost_answers == 0 and len(hub.repositories[REPO].history) == 3
    assert corpus_files(hub.files(REPO)) == files_in(embedded)


def test_a_repeated_push_changes_nothing(embedded: Path, hub: Hub) -> None:
    push_corpus(str(embedded), REPO, pictures=True)
    commits = len(hub.repositories[REPO].history)
    report = push_corpus(str(embedded), REPO, pictures=True)
    assert report.complete and report.pushed_shards == report.commits == 0
    assert len(hub.repositories[REPO].history) == commits


def test_a_shard_that_somebody_changed_is_sent_again(embedded: Path, hub: Hub) -> None:
    push_corpus(str(embedded), REPO, pictures=True)
    files = hub.files(REPO)
    tars = sorted(path for path in files if path.endswith(".tar"))
    files[tars[0]] = b"no tar"
    files[tars[1].replace("denoise/", "index/denoise/").replace(".tar", ".parquet")] = b"no index"
    receipt = next(path for path in files if path.startswith("receipts/panoptic"))
    files[receipt] = files[receipt].replace(b'"damaged": 0', b'"damaged": 1')
    assert push_corpus(str(embedded), REPO, pictures=True).pushed_shards == 3
    assert corpus_files(hub.files(REPO)) == files_in(embedded)


def test_a_trouble_that_passes_is_not_noticed(embedded: Path, hub: Hub) -> None:
    asked: list[str] = []

    def trouble(method: str, path: str) -> int | None:
        asked.append(path)
        commits = [url for url in asked if "/commit/" in url]
        return 503 if path in commits and len(commits) in (2, 4) else None

    hub.trouble = trouble
    assert push_corpus(str(embedded), REPO, pictures=True).complete
    assert corpus_files(hub.files(REPO)) == files_in(embedded)


def test_a_repository_of_another_corpus_is_refused_by_the_fields_that_differ(
    sources: Path, embedded: Path, hub: Hub, tmp_path: Path
) -> None:
    push_corpus(str(embedded), REPO, pictures=True)
    before = hub.files(REPO)
    build_scaling(sources, tmp_path / "other", seed=12)
    with pytest.raises(CorpusMismatch, match=r"seed: in the corpus 11, now 12(.|\n)*repository"):
        push_corpus(str(tmp_path / "other"), REPO, pictures=True)
    file = f"{tmp_path}/half.subset.parquet"
    subset(str(embedded), 0.5, file=file)
    with pytest.raises(CorpusMismatch, match="subset"):
        push_corpus(file, REPO, pictures=True)
    assert hub.files(REPO) == before


def test_a_repository_of_something_else_is_refused(embedded: Path, hub: Hub) -> None:
    hub.repositories[REPO] = hub_server.Repository(False)
    hub.files(REPO)["train.csv"] = b"a,b"
    with pytest.raises(RequestError, match=r"train\.csv"):
        push_corpus(str(embedded), REPO, pictures=True)
    assert not hub.repositories[REPO].history


def test_embedded_pictures_are_refused_and_counted_by_licence(embedded: Path, hub: Hub) -> None:
    with pytest.raises(RequestError) as refusal:
        push_corpus(str(embedded), REPO)
    message = str(refusal.value)
    assert (
        f"{2 * PICTURES} of them" in message
        and "--pictures" in message
        and "inputs: shared" in message
    )
    corpus = open_corpus(str(embedded))
    indexes = (corpus.index("denoise", shard) for shard in corpus.shards("denoise"))
    licences = Counter(row["licence"] for index in indexes for row in index.to_pylist())
    assert len(licences) > 1
    assert all(f"{licence}: {count}" in message for licence, count in licences.items())
    assert not hub.requests


def test_no_picture_goes_without_being_asked_for(shared: Path, hub: Hub, tmp_path: Path) -> None:
    report = push_corpus(str(shared), REPO)
    assert [left_out.folder for left_out in report.left_out] == list(WITH_PICTURES)
    assert tuple(report.totals) == DRAWN
    pictures = pictures_of(shared)
    assert len(pictures) > 5 * PICTURES
    contents = [data for _, files in hub.repositories[REPO].history for data in files.values()]
    contents += hub.objects.values()
    for data in set(contents):
        assert b"\xff\xd8\xff" not in data
        assert not any(picture in data for picture in pictures)
    pushed = corpus_files(hub.files(REPO))
    local = files_in(shared)
    assert {path: local[path] for path in pushed if path != "corpus.json"} == {
        path: data for path, data in pushed.items() if path != "corpus.json"
    }
    assert {path.split("/")[0] for path in pushed if path.endswith(".tar")} == set(DRAWN)


def test_a_corpus_without_its_pictures_is_sound_and_says_so(
    shared: Path, hub: Hub, tmp_path: Path
) -> None:
    push_corpus(str(shared), REPO)
    got = hub.write_to(tmp_path / "got", REPO)
    corpus = open_corpus(str(got))
    assert corpus.folders == corpus.proxies == DRAWN
    assert corpus.header.left_out == WITH_PICTURES
    verdict = verify_corpus(str(got), deep=True)
    assert verdict.sound, verdict.findings
    with pytest.raises(RequestError, match="a copy without the pictures, which were not passed on"):
        next(corpus.samples("edge"))
    with pytest.raises(RequestError, match="a copy without the pictures"):
        next(iter(sgt_data.Stream({str(got): ["edge"]}, batch_size=2)))
    with pytest.raises(RequestError, match="pictures of denoise"):
        corpus.shards("denoise")
    half = subset(str(got), 0.5, output=f"{tmp_path}/half", cluster=IN_PROCESS)
    assert half.complete and open_corpus(half.place).header.left_out == WITH_PICTURES
    assert verify_corpus(half.place, deep=True).sound


def test_the_same_build_on_top_of_a_copy_adds_what_was_left_out(
    sources: Path, shared: Path, hub: Hub, tmp_path: Path
) -> None:
    push_corpus(str(shared), REPO)
    got = hub.write_to(tmp_path, REPO)
    build_scaling(sources, got, **SHARED)
    assert open_corpus(str(got)).header.left_out == ()
    assert verify_corpus(str(got), deep=True).sound
    added, whole = files_in(got), files_in(shared)
    del added["corpus.json"], whole["corpus.json"]  # added proxies come last there
    assert added == whole


def test_a_subset_without_its_pictures_is_its_copy_without_them(
    shared: Path, hub: Hub, tmp_path: Path
) -> None:
    file = f"{tmp_path}/half.subset.parquet"
    subset(str(shared), 0.5, file=file)
    subset(str(shared), 0.5, output=f"{tmp_path}/copy")
    push_corpus(file, REPO)
    pushed, copied = corpus_files(hub.files(REPO)), files_in(tmp_path / "copy")
    assert {path: data for path, data in pushed.items() if path != "corpus.json"} == {
        path: data
        for path, data in copied.items()
        if path != "corpus.json" and not any(f"{folder}/" in path for folder in WITH_PICTURES)
    }
    assert verify_corpus(str(hub.write_to(tmp_path / "got", REPO)), deep=True).sound


def test_pictures_can_follow_but_are_not_taken_back(shared: Path, hub: Hub, tmp_path: Path) -> None:
    push_corpus(str(shared), REPO)
    report = push_corpus(str(shared), REPO, pictures=True)
    assert report.found_shards and report.pushed_shards
    assert corpus_files(hub.files(REPO)) == files_in(shared)
    with pytest.raises(CorpusMismatch, match=r"already holds .*input.*takes nothing back"):
        push_corpus(str(shared), REPO)


def test_every_kind_of_proxy_says_whether_it_shows_the_picture() -> None:
    """Those of this package: restorations, and boxes drawn over the picture. A reversed proxy holds
    no picture."""
    drawn = {
        "segmentation", "legend", "each", "boxes", "referring", "depth", "metric_depth", "normals",
        "edge", "generate",
    }  # fmt: skip
    fields: dict[str, dict[str, Any]] = {
        "segmentation": {"variant": "entity"}, "generate": {"of": "panoptic"},
    }  # fmt: skip
    for name, kind in proxy_kinds().items():
        proxy = kind.model_validate({"type": name, **fields.get(name, {})})
        assert proxy.shows_picture == (name not in drawn), name
    overlay = proxy_kinds()["boxes"].model_validate({"type": "boxes", "look": "overlay"})
    assert overlay.shows_picture


def test_a_proxy_of_an_unknown_kind_is_left_out(
    shared: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sgt_data.publish import licences

    known = {name: kind for name, kind in proxy_kinds().items() if name != "edge"}
    monkeypatch.setattr(licences, "proxy_kinds", lambda: Kinds("no_group", Proxy, known))
    report = push_corpus(str(shared), REPO, dry_run=True)
    assert "edge" not in report.totals


def test_the_card_says_what_the_corpus_is(
    embedded: Path, shared: Path, hub: Hub, tmp_path: Path
) -> None:
    push_corpus(str(shared), REPO)
    card = hub.files(REPO)["README.md"].decode()
    front = yaml.safe_load(card.split("---")[1])
    assert front["license"] == "other"
    assert [config["config_name"] for config in front["configs"]] == list(DRAWN)
    for config in front["configs"]:
        folder = config["config_name"]
        assert config["data_files"] == [{"split": "train", "path": f"{folder}/*.tar"}]
        totals = open_corpus(str(shared)).header.totals[folder]
        numbers = [f"{totals[name]:,}" for name in ("samples", "segments", "bytes")]
        assert f"| `{folder}` | {' | '.join(numbers)} | coco: {PICTURES}, sa1b: " in card
    licences = Counter(
        sample.facts["source"]["licence"] for sample in open_corpus(str(shared)).samples("denoise")
    )
    assert len(licences) > 1
    for licence, count in licences.items():
        assert card.count(licence) == 1 and f"| {licence} | {count} |" in card
    assert all(f"`{folder}`" in card for folder in WITH_PICTURES)
    assert open_corpus(str(shared)).header.fingerprints["edge"] in card
    assert str(shared) not in card
    file = f"{tmp_path}/half.subset.parquet"
    subset(str(embedded), 0.5, file=file)
    push_corpus(file, "somebody/half", pictures=True)
    again = hub.files("somebody/half")["README.md"].decode()
    assert "`scaling`" in again and "seed 11" in again and "hf://datasets/somebody/half" in again
    hub.repositories.clear()
    push_corpus(str(shared), REPO)
    assert hub.files(REPO)["README.md"].decode() == card


def test_a_readme_of_somebody_is_kept(embedded: Path, hub: Hub) -> None:
    hub.repositories[REPO] = hub_server.Repository(False)
    hub.files(REPO)["README.md"] = b"# Mine\n"
    report = push_corpus(str(embedded), REPO, pictures=True)
    assert hub.files(REPO)["README.md"] == b"# Mine\n"
    assert "README.md" in report.notes[0]
    hub.files(REPO)["README.md"] = f"{MARKER}\nold".encode()
    push_corpus(str(embedded), REPO, pictures=True)
    assert b"WebDataset" in hub.files(REPO)["README.md"]


def test_a_dry_run_asks_nobody(shared: Path, hub: Hub) -> None:
    report = push_corpus(str(shared), REPO, dry_run=True)
    assert report.dry_run and not report.complete
    assert tuple(report.totals) == DRAWN
    assert not hub.requests


@pytest.mark.parametrize(
    ("token", "status", "advice"),
    [(hub_server.READER, 403, "write access"), ("hf_wrong", 401, "HF_TOKEN")],
)
def test_a_token_that_may_not_is_a_clear_error(
    shared: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch, token: str, status: int, advice: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(StorageError, match=rf"{URL}: the Hub answered {status}: .*{advice}"):
        push_corpus(str(shared), REPO)
    assert not hub.repositories


def test_a_hub_out_of_reach_is_a_clear_error(
    shared: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(StorageError, match=f"cannot push to {URL}: .*refused"):
        push_corpus(str(shared), REPO)


def test_a_private_push_never_goes_to_a_public_repository(shared: Path, hub: Hub) -> None:
    push_corpus(str(shared), REPO, private=True)
    assert hub.repositories[REPO].private
    hub.repositories[REPO].private = False
    with pytest.raises(RequestError, match="everyone"):
        push_corpus(str(shared), REPO, private=True)


def test_a_branch_is_made_and_read(shared: Path, hub: Hub) -> None:
    report = push_corpus(str(shared), REPO, revision="drafts/first")
    assert report.repository == f"{URL}@drafts%2Ffirst"
    assert list(hub.files(REPO)) == [".gitattributes"]
    assert open_corpus(report.repository).header.complete
    assert verify_corpus(report.repository).sound


def test_a_damaged_shard_is_not_passed_on(shared: Path, hub: Hub, tmp_path: Path) -> None:
    root = tmp_path / "damaged"
    shutil.copytree(shared, root)
    tar = sorted((root / "edge").glob("*.tar"))[1]
    data = bytearray(tar.read_bytes())
    data[700] ^= 1
    tar.write_bytes(data)
    report = push_corpus(str(root), REPO)
    assert [failure.part for failure in report.failures] == [f"edge/{tar.stem}"]
    assert not report.complete
    assert f"edge/{tar.name}" not in hub.files(REPO)
    assert not open_corpus(URL).header.complete
    shutil.copy(shared / "edge" / tar.name, tar)
    assert push_corpus(str(root), REPO).pushed_shards == 1
    assert open_corpus(URL).header.complete


def test_an_unfinished_corpus_is_refused(shared: Path, hub: Hub, tmp_path: Path) -> None:
    root = tmp_path / "begun"
    shutil.copytree(shared, root)
    header = json.loads((root / "corpus.json").read_bytes())
    (root / "corpus.json").write_text(json.dumps({**header, "complete": False}))
    with pytest.raises(RequestError, match="not complete"):
        push_corpus(str(root), REPO)


@pytest.mark.parametrize("repo", ["alone", "a/b/c", "a b/c", "-a/b", "a/b.git", "a/b--c", "../b"])
def test_a_wrong_name_is_refused_before_anything_else(repo: str, hub: Hub) -> None:
    with pytest.raises(RequestError, match="OWNER/NAME"):
        push_corpus("nowhere", repo)
    assert not hub.requests


def test_what_was_pushed_reads_as_a_corpus(embedded: Path, hub: Hub) -> None:
    push_corpus(str(embedded), REPO, pictures=True)
    local, pushed = open_corpus(str(embedded)), open_corpus(URL)
    assert pushed.header == local.header
    verdict = verify_corpus(URL, deep=True)
    assert verdict.sound and verdict.samples == verify_corpus(str(embedded)).samples
    shard = local.shards("denoise")[0]
    samples = local.samples("denoise", [shard])
    pushed_samples = pushed.samples("denoise", [shard])
    assert all(sample == other for sample, other in zip(samples, pushed_samples, strict=True))
    half = subset(URL, 0.5, output="memory://half", cluster=IN_PROCESS)
    assert keys_of(open_corpus(half.place), "denoise")


def test_the_stream_gives_the_same_batches_from_the_hub(embedded: Path, hub: Hub) -> None:
    push_corpus(str(embedded), REPO, pictures=True)

    def keys(url: str) -> list[list[tuple[str, bytes]]]:
        stream = sgt_data.Stream({url: ["denoise"]}, batch_size=9, seed=4)
        return [[(sample.key, sample.target) for sample in batch["samples"]] for batch in stream]

    assert keys(URL) == keys(str(embedded))


def test_a_range_is_read_and_no_more(embedded: Path, hub: Hub) -> None:
    push_corpus(str(embedded), REPO, pictures=True)
    tar = next(path for path in hub.files(REPO) if path.endswith(".tar"))
    hub.requests.clear()
    data = reading.read_range(f"{URL}/{tar}", 512, 1000)
    assert data == hub.files(REPO)[tar][512:1512]
    assert [size for _, path, size in hub.requests if "/resolve/" in path] == [1000]


def test_a_missing_file_or_repository_is_told_apart_from_trouble(hub: Hub) -> None:
    hub.repositories[REPO] = hub_server.Repository(False)
    with pytest.raises(RequestError, match="holds no corpus"):
        open_corpus(URL)
    with pytest.raises(RequestError, match="holds no corpus"):
        open_corpus("hf://datasets/nobody/nothing")
    hub.files(REPO)["corpus.json"] = b"{}"
    hub.trouble = lambda method, path: 403 if "/resolve/" in path else None
    with pytest.raises(SourceError, match="answered 403"):
        open_corpus(f"{URL}@main")


def test_any_webdataset_reader_reads_what_was_pushed(
    shared: Path, hub: Hub, tmp_path: Path
) -> None:
    push_corpus(str(shared), REPO)
    got = hub.write_to(tmp_path, REPO)
    tars = [str(path) for path in sorted((got / "edge").glob("*.tar"))]
    samples = list(webdataset.WebDataset(tars, shardshuffle=False))
    assert len(samples) == 2 * PICTURES
    assert all("txt" in sample and "json" in sample for sample in samples)


def test_the_command_pushes_and_reports(shared: Path, embedded: Path, hub: Hub) -> None:
    planned = run(hub, "push", shared, REPO, "--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert "would be pushed" in planned.stdout and "left out" in planned.stdout
    assert planned.stdout.count("Attribution License") <= 1
    assert planned.stdout.count("licence") == 1
    assert not hub.requests
    done = run(hub, "push", shared, REPO, "--json")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["complete"]
    assert "without input, boxes-over-it" in done.stderr
    assert "%|" not in done.stderr  # no bars of huggingface_hub
    shown = run(hub, "info", URL)
    assert "without input" in shown.stdout
    refused = run(hub, "push", embedded, "somebody/else")
    assert refused.returncode == 2 and f"{2 * PICTURES} of them" in refused.stderr
    assert "Traceback" not in refused.stderr and "somebody/else" not in hub.repositories


def test_without_huggingface_hub_the_command_says_what_to_install(shared: Path, hub: Hub) -> None:
    code = "import sys; sys.modules['huggingface_hub'] = None"
    done = run(hub, "push", shared, REPO, code=code)
    assert done.returncode == 2
    assert "pip install 'sgt-data[hub]'" in done.stderr
    assert run(hub, "push", shared, REPO, "--dry-run", code=code).returncode == 0
