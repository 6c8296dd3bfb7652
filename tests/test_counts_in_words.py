"""Counts agree with their nouns, on a corpus of one picture, one proxy and one shard."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sgt_data.cli.app import main
from sgt_data.progress import Progress
from sgt_data.progress_text import progress_text
from sgt_data.value_text import counted

MANIFEST = """
name: single
sources: [{type: coco, root: single/coco, annotations: [instances]}]
proxies: [{type: segmentation, variant: instance}]
"""
WRONG = re.compile(r"(?<![\d.,])1 (?!s\b|is\b|has\b)[A-Za-z]+s\b")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("single")


def test_a_single_thing_is_never_said_in_the_plural(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    Path("single.yaml").write_text(MANIFEST)
    build = "build single.yaml --output corpus --workers 0"
    for command, code in (
        ("sample single --form coco --images 1 --width 64 --height 64", 0),
        (f"{build} --dry-run", 0),
        (build, 0),
        (build, 0),
        ("verify corpus", 0),
        ("verify corpus --deep", 0),
        ("info corpus", 0),
        ("preview corpus -o sheet.png", 0),
        ("scale corpus --fraction 1", 0),
        ("scale corpus --fraction 0.25 --shards", 2),
        ("info single-1.subset.parquet", 0),
        ("verify single-1.subset.parquet", 0),
        ("report corpus -o report.html", 0),
        ("questions corpus --output questions", None),
        ("export corpus --format omnigen2 --output exported", 0),
        ("export corpus --format omnigen2 --output exported", 0),
    ):
        with pytest.raises(SystemExit) as ended:
            main(command.split())
        said = "".join(capsys.readouterr())
        assert code is None or int(ended.value.code or 0) == code, said
        assert not (wrong := WRONG.findall(said)), f"{command}: {wrong} in {said}"
    Path("corpus/stray.txt").touch()
    with pytest.raises(SystemExit):
        main(["verify", "corpus"])
    said = "".join(capsys.readouterr())
    assert "1 finding" in said and not WRONG.search(said), said


@pytest.mark.parametrize(
    ("number", "noun", "words"),
    [
        (1, "proxy", "1 proxy"),
        (0, "proxy", "0 proxies"),
        (1200, "key", "1,200 keys"),
        (2, "batch", "2 batches"),
        (0.5, "GPU", "0.5 GPUs"),
        (1.0, "GPU", "1 GPU"),
    ],
)
def test_a_number_has_its_noun(number: float, noun: str, words: str) -> None:
    assert counted(number, noun) == words


def test_progress_of_a_single_picture_is_in_the_singular() -> None:
    assert progress_text(Progress(1, 1), "pictures", None) == "1 of 1 picture"
    assert progress_text(Progress(1, 2), "pictures", None) == "1 of 2 pictures"
