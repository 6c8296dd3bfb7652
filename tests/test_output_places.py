"""No output lies in what is read, in a corpus, or nowhere; that is said before a write."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest
from making import SMALL, built, files_in, jpeg, manifest_of, sa1b_members, tar_of

import sgt_data
from sgt_data import IN_PROCESS, build_corpus
from sgt_data.annotators.sam import SamAnnotator
from sgt_data.cli.app import main
from sgt_data.engine.annotate_pictures import annotate_pictures
from sgt_data.errors import RequestError
from sgt_data.experiment.plan.load_plan import load_plan
from sgt_data.experiment.run_experiment import run_experiment
from sgt_data.exports.export import export_corpus
from sgt_data.files.output_place import check_output, overlap
from sgt_data.questions.write_questions import write_questions
from sgt_data.scenes.write_samples import write_samples
from sgt_data.training.config import parse_config
from sgt_data.training.train import train
from sgt_data.verify.check_corpus import verify_corpus


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures, tars, and a corpus of them."""
    root = tmp_path_factory.mktemp("world")
    (root / "pictures" / "deep").mkdir(parents=True)
    (root / "tars").mkdir()
    for number in range(3):
        (root / "pictures" / "deep" / f"{number}.jpg").write_bytes(jpeg(64, 48, number))
    (root / "tars" / "sa_000000.tar").write_bytes(tar_of(sa1b_members(2)))
    assert built(root / "corpus", source_of(root), [{"type": "edge"}]).succeeded
    os.symlink(root / "corpus", root / "link")
    os.symlink(root / "pictures", root / "also")
    return root


def source_of(root: Path) -> dict[str, Any]:
    return {"type": "folder", "pictures": f"{root}/pictures"}


def build(source: dict[str, Any], output: str) -> object:
    manifest = manifest_of(source, [{"type": "edge"}], pictures=SMALL)
    return build_corpus(manifest, output, cluster=IN_PROCESS)


Verb = Callable[[Path, str], object]

VERBS: dict[str, Verb] = {
    "build": lambda root, out: build(source_of(root), out),
    "scale file": lambda root, out: sgt_data.subset(
        f"{root}/corpus", 0.5, file=out and f"{out}/x.subset.parquet"
    ),
    "scale output": lambda root, out: sgt_data.subset(
        f"{root}/corpus", 0.5, output=out, cluster=IN_PROCESS
    ),
    "export": lambda root, out: export_corpus(f"{root}/corpus", out),
    "questions": lambda root, out: write_questions(f"{root}/corpus", out),
    "annotate": lambda root, out: annotate_pictures(
        f"{root}/pictures", out, SamAnnotator(name="sam", checkpoint="none.pth"), cluster=IN_PROCESS
    ),
    "sample": lambda root, out: write_samples(out, 1, size=(64, 48)),
    "train": lambda root, out: train(
        parse_config({"data": {"corpus": f"{root}/corpus", "questions": f"{root}/q"},
                      "drawings": 0}), out
    ),
    "experiment": lambda root, out: run_experiment(
        "scale", load_plan("scale", None, ()), f"{root}/corpus", out
    ),
    "preview": lambda root, out: _preview(f"{root}/corpus", out and f"{out}/x.png"),
}  # fmt: skip
"""Everything that writes: each with the sources in a folder, and an output."""


def _preview(corpus: str, output: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["preview", corpus, "--output", output])
    if ended.value.code == 2:
        raise RequestError("output is refused")


READS_PICTURES = ("build", "annotate")
INSIDE_A_CORPUS = ("corpus/new", "corpus/entity/new", "link/new", "pictures/../corpus/new")
INSIDE_PICTURES = ("pictures", "pictures/new", "also/new", "pictures/deep/../new", ".")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("place", ["", "  ", *INSIDE_A_CORPUS])
def test_no_verb_writes_nowhere_or_into_a_corpus(verb: str, place: str, world: Path) -> None:
    before = files_in(world)
    output = f"{world}/{place}" if place.strip() else place
    if place == "  " and verb in ("scale file", "preview"):
        output = ""
    with pytest.raises(RequestError, match=r"is empty|lies in|is refused"):
        VERBS[verb](world, output)
    assert files_in(world) == before


@pytest.mark.parametrize("verb", READS_PICTURES)
@pytest.mark.parametrize("place", INSIDE_PICTURES)
def test_nothing_is_written_among_the_pictures_that_are_read(
    verb: str, place: str, world: Path
) -> None:
    before = files_in(world)
    with pytest.raises(RequestError, match=r"(lies in|holds|is) .*, which is read"):
        VERBS[verb](world, f"{world}/{place}")
    assert files_in(world) == before


@pytest.mark.parametrize("verb", ["export", "train", "sample", "scale output"])
def test_nothing_is_written_over_a_corpus_or_around_it(verb: str, world: Path) -> None:
    before = files_in(world)
    for place in ("corpus", "."):
        if (verb, place) == ("sample", "."):
            continue  # it reads nothing
        with pytest.raises(RequestError):
            VERBS[verb](world, f"{world}/{place}")
    assert files_in(world) == before


def test_a_corpus_is_not_built_into_other_work(world: Path, tmp_path: Path) -> None:
    export_corpus(f"{world}/corpus", f"{tmp_path}/export")
    for verb in ("build", "scale output"):
        with pytest.raises(RequestError, match=r"holds export\.json, so it is an export"):
            VERBS[verb](world, f"{tmp_path}/export")
        with pytest.raises(RequestError, match="in which the corpus"):
            (tmp_path / verb / "inner").mkdir(parents=True)
            (tmp_path / verb / "inner" / "corpus.json").write_text("{}")
            VERBS[verb](world, f"{tmp_path}/{verb}")


def test_a_dry_run_says_it_too(world: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "m.yaml"
    manifest.write_text(
        f"name: x\nsources: [{{type: folder, pictures: {world}/pictures}}]\n"
        "proxies: [{type: edge}]\n"
    )
    for output in ("", f"{world}/pictures/x"):
        with pytest.raises(SystemExit) as ended:
            main(["build", str(manifest), "--output", output, "--dry-run"])
        assert ended.value.code == 2


@pytest.mark.parametrize(
    ("output", "source", "how"),
    [
        ("/d/c", "/d/c", "is"),
        ("/d/c", "/d", "lies in"),
        ("/d", "/d/c", "holds"),
        ("/d", "/d/a.tar", "holds"),
        ("/d", "/d/*.tar", "holds"),
        ("/d", "/d/x/sa_{0..3}.tar", "holds"),
        ("/d/c", "/d/**/*.tar", "looks for files"),
        ("/d/c", "/d/*/*/*.tar", "looks for files"),
        ("/d/c", "/d/c*/edge/*.tar", "looks for files"),
        ("s3://b/d/c", "s3://b/d", "lies in"),
        ("s3://b/d/../c", "s3://key:word@b/c", "is"),
        ("/d/c", "/d/*.tar", None),
        ("/d/c", "/d/*/*.tar", "looks for files"),
        ("/d/cc", "/d/c", None),
        ("/d/c", "/d/x*/*/*.tar", None),
        ("s3://b/d", "gs://b/d", None),
        ("s3://b/d", "/b/d", None),
        ("/d/c", "https://host/d/c?x=1", None),
    ],
)
def test_an_output_and_a_source_overlap(output: str, source: str, how: str | None) -> None:
    found = overlap(output, source)
    assert found is None if how is None else how in str(found)


def test_a_corpus_of_an_object_store_is_noticed_too() -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/places/corpus/corpus.json", b"{}")
    with pytest.raises(RequestError, match="lies in the corpus memory://places/corpus"):
        check_output("memory://places/corpus/new/one")
    assert check_output("memory://places/other") == "memory://places/other"
    memory.rm("/places", recursive=True)


def test_no_folder_is_named_as_a_subset_file(world: Path) -> None:
    """No command would open it: names tell files from corpora."""
    with pytest.raises(RequestError, match=r"`scale --file` writes a subset file"):
        sgt_data.subset(f"{world}/corpus", 0.5, output=f"{world}/half.subset.parquet")
    with pytest.raises(RequestError, match=r"no folder may be named"):
        build(source_of(world), f"{world}/new.subset.parquet/")


NEEDS_ITS_OWN_FOLDER = ("build", "scale output", "export", "questions", "annotate")
"""Everything whose folder is a whole of its own, which is continued and verified as one."""


@pytest.mark.parametrize("verb", NEEDS_ITS_OWN_FOLDER)
def test_no_work_is_strewn_among_files_of_a_person(verb: str, world: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "photos").mkdir(parents=True)
    (home / "notes.txt").write_text("mine")
    with pytest.raises(RequestError, match=r"holds other files \(notes\.txt, photos/\) .* such as"):
        VERBS[verb](world, str(home))
    assert set(files_in(home)) == {"notes.txt"}
    with pytest.raises(RequestError, match=r"notes\.txt, which is a file"):
        VERBS[verb](world, f"{home}/notes.txt")


def test_hidden_files_and_a_readme_leave_a_folder_free_for_a_corpus(
    world: Path, tmp_path: Path
) -> None:
    """A fresh clone of a repository, a mounted disk, and what a killed first build left."""
    for name in (".gitattributes", ".DS_Store", ".gitkeep", ".sgt-tmp-0a", "README.md"):
        (tmp_path / name).write_text("mine")
    for folder in (".git", "lost+found"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "config").write_text("mine")
    build(source_of(world), str(tmp_path))
    assert (tmp_path / "README.md").read_text() == "mine"
    assert verify_corpus(str(tmp_path)).sound


def test_hidden_files_leave_a_folder_free_for_an_export(world: Path, tmp_path: Path) -> None:
    (tmp_path / ".gitkeep").touch()
    assert export_corpus(f"{world}/corpus", f"{tmp_path}").succeeded


def test_a_corpus_that_lost_its_header_is_continued(world: Path, tmp_path: Path) -> None:
    build(source_of(world), f"{tmp_path}/corpus")
    before = files_in(tmp_path)
    (tmp_path / "corpus" / "corpus.json").unlink()
    build(source_of(world), f"{tmp_path}/corpus")
    assert files_in(tmp_path) == before


def test_files_of_a_person_in_an_object_store_are_noticed_too(world: Path) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/mine/of/notes.txt", b"mine")
    memory.pipe_file("/mine/photos/1.jpg", b"mine")
    for place in ("mine", "mine/of"):
        with pytest.raises(RequestError, match=r"holds other files \((of/, photos/|notes\.txt)\)"):
            build(source_of(world), f"memory://{place}")
    memory.rm("/mine", recursive=True)
