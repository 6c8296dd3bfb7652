"""Exports of every format under bad conditions: several at once, full disks, odd names; each ends
in the very files of an undisturbed export, or in a clear error."""

from __future__ import annotations

import json
import os
import re
import resource
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from making import SMALL, built, files_in, manifest_of, proxy_of

from sgt_data import IN_PROCESS, build_corpus, write_questions
from sgt_data.errors import RequestError, StorageError
from sgt_data.exports.export import export_corpus
from sgt_data.exports.export_options import COUNT_MAX, ExportOptions
from sgt_data.exports.formats import FORMATS
from sgt_data.files.claim import Claim, claim
from sgt_data.files.unfinished import TEMPORARY, unfinished_name

PROXIES = ("target", "train", "metadata", "questions", "generate-target")
"""Names that formats use for folders and files of their own."""

LISTED = ("bagel", "bagel-edit", "folders", "lmms-engine", "omnigen2")
"""Formats whose lists or configurations hold the path of the export."""


@pytest.fixture(scope="module")
def corpus(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("disturbed")
    source = {"type": "coco", "root": f"{sample_sources}/coco", "annotations": ["panoptic"]}
    proxies = [
        proxy_of("panoptic", name="target"),
        {"type": "edge", "name": "train"},
        {"type": "denoise", "name": "metadata"},
        {"type": "denoise", "name": "questions"},
        {"type": "generate", "of": "target"},
    ]
    manifest = manifest_of(source, proxies, pictures=SMALL, inputs="shared")
    assert build_corpus(manifest, str(root / "corpus"), cluster=IN_PROCESS).succeeded
    return str(root / "corpus")


@pytest.fixture(scope="module")
def undisturbed(corpus: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An export in each format."""
    root = tmp_path_factory.mktemp("undisturbed")
    for form in FORMATS:
        report = export_corpus(corpus, root / form, form)
        assert report.complete and set(report.samples) == set(PROXIES)
    return {form: root / form for form in FORMATS}


def assert_same(output: Path, whole: Path) -> None:
    """An export has the files of another one, save for the paths in its lists."""
    moved = {
        path: data.replace(os.fsencode(output), os.fsencode(whole))
        for path, data in files_in(output).items()
    }
    expected = files_in(whole)
    assert moved.keys() == expected.keys()
    assert [path for path in expected if moved[path] != expected[path]] == []


@pytest.mark.parametrize("form", FORMATS)
def test_several_exports_to_one_folder_at_once_are_one_export(
    form: str, corpus: str, undisturbed: dict[str, Path], tmp_path: Path
) -> None:
    def export(_: int) -> bool:
        return export_corpus(corpus, tmp_path / form, form).complete

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(export, range(4)))
    assert_same(tmp_path / form, undisturbed[form])


@contextmanager
def files_of_at_most(nbytes: int) -> Iterator[None]:
    """The system refuses to make a file larger, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (nbytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("form", FORMATS)
def test_a_disk_that_takes_no_more_is_told_and_leaves_nothing_half(
    form: str, corpus: str, undisturbed: dict[str, Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(os, "link", refused)
    for least in (2_000, 6_000):
        with (
            files_of_at_most(least),
            pytest.raises(StorageError, match=r"cannot write .*too large"),
        ):
            export_corpus(corpus, tmp_path / form, form)
        assert not list(tmp_path.rglob(f"{TEMPORARY}*"))
    monkeypatch.undo()
    export_corpus(corpus, tmp_path / form, form)
    assert_same(tmp_path / form, undisturbed[form])


def refused(*_: object) -> None:
    raise OSError("no links here")


def test_what_was_killed_while_it_claimed_a_folder_leaves_nothing(
    corpus: str, tmp_path: Path
) -> None:
    (tmp_path / unfinished_name()).write_bytes(b"half")
    export_corpus(corpus, tmp_path, "hf", "train")
    assert not list(tmp_path.rglob(f"{TEMPORARY}*"))


def test_a_link_that_another_export_made_first_leaves_no_second_name(
    corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, replace = os.link, os.replace

    def second(source: str, target: str) -> None:
        if os.stat(source).st_nlink > 1 and not os.path.exists(target):
            link(source, target)  # as another export does at the same moment
        replace(source, target)

    monkeypatch.setattr(os, "replace", second)
    report = export_corpus(corpus, tmp_path, "folders")
    assert report.linked
    assert not list(tmp_path.rglob(f"{TEMPORARY}*"))


def test_a_folder_that_is_claimed_meanwhile_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sgt_data.files import claim as claiming

    wanted = Claim("export.json", {"version": 1}, "an export")
    listed = claiming.other_entries

    def late(folder: str) -> list[str]:
        Path(folder, "export.json").write_text('{"version": 1}')
        return listed(folder)

    monkeypatch.setattr(claiming, "other_entries", late)
    assert claim(str(tmp_path), wanted) is False


@pytest.mark.parametrize("form", FORMATS)
def test_a_proxy_without_samples_is_noted_and_nothing_alone_is_refused(
    form: str, sample_sources: Path, tmp_path: Path
) -> None:
    source = {"type": "coco", "root": f"{sample_sources}/coco", "annotations": ["panoptic"]}
    nothing = proxy_of("panoptic", name="nothing", filters={"min_segments": 200})
    built(tmp_path / "corpus", source, [{"type": "edge"}, nothing], max_quarantined=1.0)
    report = export_corpus(tmp_path / "corpus", tmp_path / "out", form)
    assert report.samples == {"edge": 12, "nothing": 0}
    assert "nothing: it has no sample, so it is left out" in report.notes
    with pytest.raises(RequestError, match="no sample of nothing"):
        export_corpus(tmp_path / "corpus", tmp_path / "none", form, "nothing")
    assert not (tmp_path / "none").exists()


# --- names


ODD = 'a b, "c" it\'s #1 ünï 😀 %41'
"""What a folder may be called: all that CSV, TOML, YAML, JSON and URLs must quote."""


@pytest.mark.parametrize("form", FORMATS)
def test_a_folder_may_have_any_printable_name(
    form: str, corpus: str, undisturbed: dict[str, Path], tmp_path: Path
) -> None:
    output = tmp_path / ODD
    report = export_corpus(corpus, output, form, options=ExportOptions())
    assert files_in(output).keys() == files_in(undisturbed[form]).keys()
    for place in report.configs:
        for path in paths_in(place):
            assert os.path.exists(path.removesuffix("/")), (place, path)


def paths_in(place: str) -> list[str]:
    """The paths of the export that a configuration holds, as its own parser reads them."""
    text = Path(place).read_text()
    if place.endswith(".toml"):
        return [each["image_jsonl_file"] for each in tomllib.loads(text)["datasets"]]
    if not place.endswith(("yaml", "yml", "json")):
        return []
    found: list[str] = []
    waiting: list[Any] = [yaml.safe_load(text) if "json" not in place else json.loads(text)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and value.startswith("/") and "_cache" not in value:
            found.append(value)
    return found


@pytest.mark.parametrize("name", ["two\nlines", "cr\r", "next\x85", "\u2028", "\udcff"])
@pytest.mark.parametrize("form", LISTED)
def test_a_path_that_no_list_can_hold_is_refused(
    form: str, name: str, corpus: str, tmp_path: Path
) -> None:
    with pytest.raises(RequestError, match=r"output is .*cannot stand"):
        export_corpus(corpus, tmp_path / name, form)
    options = ExportOptions(relative_to=str(tmp_path / name))
    with pytest.raises(RequestError, match=r"relative_to is .*cannot stand"):
        export_corpus(corpus, tmp_path / "out", form, options=options)
    assert not list(tmp_path.iterdir())


def test_questions_are_refused_below_a_path_that_no_list_can_hold(
    corpus: str, tmp_path: Path
) -> None:
    asked = tmp_path / "a\nb"
    write_questions(corpus, str(asked))
    for form, options in (
        ("questions", ExportOptions()), ("bagel", ExportOptions(questions=str(asked))),
    ):  # fmt: skip
        source = str(asked) if form == "questions" else corpus
        with pytest.raises(RequestError, match=r"questions is .*cannot stand"):
            export_corpus(source, tmp_path / "out", form, options=options)


@pytest.mark.parametrize("form", LISTED)
def test_paths_are_relative_to_a_folder_alone(form: str, corpus: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    options = ExportOptions(relative_to=str(tmp_path / "file"))
    with pytest.raises(RequestError, match=r"relative_to is .*which is a file"):
        export_corpus(corpus, tmp_path / "out", form, options=options)


@pytest.mark.parametrize("name", ["ranks", "workers"])
@pytest.mark.parametrize("value", [0, -1, COUNT_MAX + 1, 10**30])
def test_counts_have_bounds(name: str, value: int) -> None:
    with pytest.raises(RequestError, match=f"{name}: found {re.escape(str(value))}"):
        ExportOptions(**{name: value})  # type: ignore[arg-type]


def test_the_most_ranks_and_workers_give_an_export(corpus: str, tmp_path: Path) -> None:
    options = ExportOptions(ranks=COUNT_MAX, workers=COUNT_MAX)
    report = export_corpus(corpus, tmp_path / "out", "bagel-edit", options=options)
    for proxy, samples in report.samples.items():
        files = sorted((tmp_path / "out" / proxy).iterdir())
        assert sum(pq.read_metadata(file).num_rows for file in files) == samples
