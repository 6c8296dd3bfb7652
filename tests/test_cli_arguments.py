"""Arguments: one syntax for lists, `~` written out, nothing that is given and ignored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from making import coco_annotation, coco_document, coco_image, jpeg, write_coco

from sgt_data.cli.app import main
from sgt_data.cli.arguments import checked_arguments, names_in, numbers_in
from sgt_data.errors import RequestError


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("arguments")
    images = [coco_image(number) for number in range(1, 9)]
    square = [[1, 1, 40, 1, 40, 40, 1, 40]]
    annotations = [coco_annotation(image["id"], image["id"], square) for image in images]
    pictures = {image["file_name"]: jpeg(64, 48, image["id"]) for image in images}
    write_coco(folder / "in", pictures, {"instances": coco_document(images, annotations)})
    document = {
        "name": "arguments",
        "pictures": {"min_side": 32, "max_side": 96},
        "sources": [{"type": "coco", "root": str(folder / "in"), "annotations": ["instances"]}],
        "proxies": [
            {"type": "segmentation", "name": name, "variant": variant}
            for name, variant in (("instance", "instance"), ("semantic", "semantic"))
        ],
    }
    path = folder / "manifest.yaml"
    path.write_text(yaml.safe_dump(document))
    output = folder / "corpus"
    assert ended("build", path, "--output", output, "--workers", 0) == 0
    return output


def ended(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    code = end.value.code
    assert code is None or isinstance(code, int)
    return code or 0


def test_all_options_of_several_values_have_one_syntax(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forms: dict[str, list[list[Any]]] = {
        "export": [["--proxy", "instance, semantic"], ["--proxy=instance", "--proxy", "semantic"]],
        "questions": [["--tasks", "count, presence"], ["--tasks", "count", "--tasks=presence"]],
        "scale": [
            ["--fractions", "0.25, 0.5"],
            ["--fractions", "0.25", "--fractions", "0.5"],
            ["--fractions", "0.25", "0.5"],
        ],
    }
    for verb, variants in forms.items():
        results = []
        for number, options in enumerate(variants):
            place = tmp_path / f"{verb}-{number}"
            target = ["--file", f"{place}-{{}}.subset.parquet"]
            target = target if verb == "scale" else ["--output", str(place)]
            capsys.readouterr()
            assert ended(verb, corpus, *options, *target, "--json") == 0
            text = capsys.readouterr().out.replace(str(place), "PLACE")
            results.append(json.loads(text))
        assert all(result == results[0] for result in results), verb
    assert ended("sample", tmp_path / "s", "--images", 1, "--width", 64, "--height", 64,
                 "--form", "sa1b, coco") == 0  # fmt: skip
    assert {path.name for path in (tmp_path / "s").iterdir()} >= {"sa1b", "coco"}


def test_lists_are_read_strictly() -> None:
    assert names_in("--x", None) is None
    assert names_in("--x", ["a, b", "c", "a"]) == ["a", "b", "c"]
    assert numbers_in("--x", ["0.5,1e-2", "1"]) == [0.5, 0.01, 1.0]
    for values in (["a,,b"], [" "], ["a,"]):
        with pytest.raises(RequestError, match="between commas is empty"):
            names_in("--x", values)
    with pytest.raises(RequestError, match="--x: found 'b', which is no number"):
        numbers_in("--x", ["1,b"])


def test_a_home_folder_is_written_out_wherever_it_is_given(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "c").symlink_to(corpus)
    monkeypatch.chdir(tmp_path)
    small = ["--images", 1, "--width", 64, "--height", 64]
    commands: list[tuple[list[object], str]] = [
        (["preview", "~/c", "-o", "~/sheet.png"], "sheet.png"),
        (["preview", "~/c", "--output=~/deep.png"], "deep.png"),
        (["sample", "~/scenes", *small], "scenes"),
        (["scale", "~/c", "--fraction", 0.5, "--file", "~/half.subset.parquet"],
         "half.subset.parquet"),
        (["export", "~/c", "--output=~/export"], "export"),
        (["questions", "~/c", "--output", "~/questions"], "questions"),
    ]  # fmt: skip
    for arguments, made in commands:
        assert ended(*arguments) == 0
        assert (tmp_path / made).exists(), arguments
    assert not (tmp_path / "~").exists()


def test_a_home_folder_in_a_manifest_is_written_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.jpg").write_bytes(jpeg(40, 40))
    manifest = tmp_path / "m.yaml"
    manifest.write_text(
        "name: home\nsources: [{type: folder, pictures: ~/photos}]\n"
        "pictures: {min_side: 32, max_side: 96}\nproxies: [{type: colorization}]\n"
    )
    arguments = ["build", "~/m.yaml", "--output", "~/c", "--workers", 0]
    assert ended(*arguments) == 0
    assert ended(*arguments, "--set", "sources.folder.pictures=~/photos") == 0
    assert (tmp_path / "c/corpus.json").exists()


def test_only_the_begin_of_a_value_is_a_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/h")
    given = ["~/a", "--o=~/a", "a.b=~/c", "~", "a~/b", "x=~", "--where", "a ~ '~/b'"]
    assert checked_arguments(given) == [
        "/h/a", "--o=/h/a", "a.b=/h/c", "/h", "a~/b", "x=~", "--where", "a ~ '~/b'",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["info", ""], "the argument after info is empty"),
        (["", "x"], "the argument is empty"),
        (["build", "m.yaml", "--output", ""], "the argument after --output is empty"),
        (["build", "m.yaml", "--output="], "the argument after --output is empty"),
    ],
)
def test_an_empty_argument_is_refused(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(*arguments) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["scale", "{corpus}", "--fraction", 0.5, "--workers", 0], "without --output no tar"),
        (["scale", "{corpus}", "--fraction", 0.5, "--address", "h:1"], "--address says where"),
        (["scale", "{corpus}", "--fraction", 0.5, "--described-by", "instance"], "strata and"),
        (["scale", "{corpus}", "--fraction", 0.5, "--samples", 3], "not both"),
        (["scale", "{corpus}", "--samples", 3, "--fractions", 0.5], "give one of"),
        (["scale", "{corpus}", 0.5], "is --fractions missing"),
        (["build", "{corpus}/../manifest.yaml", "--output", "x", "--dry-run", "--workers", -1],
         "workers: found -1"),
        (["build", "{corpus}/../manifest.yaml", "--output", "x", "--set", "seed=1", "--set",
          "seed=2"], "given twice"),
        (["build", "{corpus}/../manifest.yaml", "--output", "x", "--set", "max_quarantined=1",
          "--max-quarantined", 0.5], "given twice"),
        (["questions", "{corpus}", "--output", "x", "--seed", 10**30], "from 0 to 9223"),
        (["questions", "{corpus}", "--output", "x", "--per-task", 10**30], "per_task: found"),
        (["sample", "x", "--seed", 10**30], "seed: found"),
        (["sample", "x", "--images", 10**30], "images: found"),
    ],
)  # fmt: skip
def test_what_would_be_ignored_or_cannot_be_is_refused(
    corpus: Path,
    tmp_path: Path,
    arguments: list[object],
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ended(*(str(word).format(corpus=corpus) for word in arguments)) == 2
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
