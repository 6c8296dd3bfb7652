"""Exports: the corpus' own bytes, in the folders that the released loaders read."""

from __future__ import annotations

import inspect
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from corpora import both_sources_document
from making import samples_in
from PIL import Image

from sgt_data import IN_PROCESS, build_corpus, open_corpus, write_questions
from sgt_data.cli.trainers import export_command
from sgt_data.errors import CorpusError, RequestError
from sgt_data.exports.export import export_corpus
from sgt_data.exports.export_options import ExportOptions
from sgt_data.exports.formats import FORMATS
from sgt_data.exports.sgt_layouts import LAYOUTS, Form
from sgt_data.files.unfinished import TEMPORARY, unfinished_name
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.progress import Progress

PROXIES = ("panoptic", "edge", "denoise")
FORMS: tuple[Form, ...] = ("bagel", "omnigen2")


@pytest.fixture(scope="module")
def corpora(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same samples with pictures embedded and shared; COCO's form alone has panoptic."""
    root = tmp_path_factory.mktemp("corpora")
    document = both_sources_document(sample_sources, shard_samples=5)
    document["proxies"] = [
        {"type": "segmentation", "name": "panoptic", "variant": "panoptic", "sources": ["coco"]},
        {"type": "edge"},
        {"type": "denoise"},
    ]
    for inputs in ("embedded", "shared"):
        manifest = parse_manifest(document | {"inputs": inputs})
        assert build_corpus(manifest, str(root / inputs), cluster=IN_PROCESS).succeeded
    return {inputs: root / inputs for inputs in ("embedded", "shared")}


def read_bagel(output: Path, proxy: str) -> list[tuple[bytes, bytes, str]]:
    """As SGT's BAGEL does: the row's picture below the folder, the target by the path's name."""
    config = yaml.safe_load((output / "bagel.yaml").read_text())[f"sgt_{proxy}"]
    samples = []
    for line in (output / f"{proxy}.jsonl").read_text().splitlines():
        row = json.loads(line)
        picture = f"{output}/{proxy}/" + row["image"]
        target = picture.replace("sam_selection", "sam_mask").replace("jpg", "png")
        samples.append((read(picture), read(target), row["generation_prompt"]))
    assert config["num_used_data"] == [len(samples)]
    return samples


def read_omnigen2(output: Path, proxy: str) -> list[tuple[bytes, bytes, str]]:
    """As OmniGen2 does: paths out of the row."""
    (data,) = (
        entry
        for entry in yaml.safe_load((output / "omnigen2.yml").read_text())["data"]
        if entry["type"] == proxy
    )
    rows = [json.loads(line) for line in Path(data["path"]).read_text().splitlines()]
    assert all(set(row) == {"task_type", "instruction", "input_images", "output_image"}
               for row in rows)  # fmt: skip
    return [
        (read(row["input_images"][0]), read(row["output_image"]), row["instruction"])
        for row in rows
    ]


def read_list(output: Path, proxy: str, form: Form) -> list[tuple[bytes, bytes]]:
    """As both do with a text file of paths."""
    pictures, targets = {
        "bagel": ("sam_selection", "sam_mask"),
        "omnigen2": ("train2017", "annotations/panoptic_train2017"),
    }[form]
    return [
        (read(line), read(line.replace(pictures, targets).replace("jpg", "png")))
        for line in (output / f"{proxy}.txt").read_text().splitlines()
    ]


def read(path: str) -> bytes:
    """A file's bytes; whatever its name, a loader must be able to open it."""
    data = Path(path).read_bytes()
    with Image.open(io.BytesIO(data)) as image:
        image.convert("RGB")
        assert path.endswith({"PNG": ".png", "JPEG": (".jpg", ".jpeg")}[str(image.format)])
    return data


def in_tars(corpus: Path, proxy: str) -> list[tuple[bytes, bytes, str]]:
    """Oracle: the members of an embedded corpus' tars."""
    return [
        (
            parts["input.jpg"],
            parts["target.png"] if "target.png" in parts else parts["target.jpg"],
            parts["txt"].decode(),
        )
        for _, parts in samples_in(corpus, proxy).items()
    ]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("inputs", ["embedded", "shared"])
def test_the_released_loaders_find_the_very_bytes_of_the_corpus(
    corpora: dict[str, Path], tmp_path: Path, form: Form, inputs: str
) -> None:
    report = export_corpus(str(corpora[inputs]), str(tmp_path / "out"), form)
    assert report.samples == {"panoptic": 12, "edge": 24, "denoise": 24}
    for proxy in PROXIES:
        reader = read_bagel if form == "bagel" else read_omnigen2
        expected = in_tars(corpora["embedded"], proxy)
        assert sorted(reader(tmp_path / "out", proxy)) == sorted(expected)
        pictures = read_list(tmp_path / "out", proxy, form)
        assert sorted(pictures) == sorted(sample[:2] for sample in expected)
    assert not list(tmp_path.rglob(f"{TEMPORARY}*"))


def test_a_list_keeps_the_order_of_the_corpus(corpora: dict[str, Path], tmp_path: Path) -> None:
    export_corpus(str(corpora["embedded"]), str(tmp_path / "out"))
    for proxy in PROXIES:
        keys = [sample.key for sample in open_corpus(str(corpora["embedded"])).samples(proxy)]
        lines = (tmp_path / "out" / f"{proxy}.txt").read_text().splitlines()
        assert [Path(line).stem for line in lines] == keys


def test_clean_pictures_are_written_once_and_linked(
    corpora: dict[str, Path], tmp_path: Path
) -> None:
    output = tmp_path / "out"
    report = export_corpus(str(corpora["embedded"]), str(output))
    panoptic = {path.stem: path.stat().st_ino for path in (output / "panoptic").rglob("*.jpg")}
    edge = {path.stem: path.stat().st_ino for path in (output / "edge/sam_selection").iterdir()}
    noisy = {path.stat().st_ino for path in (output / "denoise/sam_selection").iterdir()}
    assert len(panoptic) == 12
    assert panoptic.items() <= edge.items()
    assert not noisy & set(edge.values())
    assert (report.written, report.linked, report.kept) == (120 - 12, 12, 0)
    assert report.nbytes == sum({p.stat().st_ino: p.stat().st_size
                                 for p in output.rglob("*/*/*")}.values())  # fmt: skip


def test_without_hard_links_pictures_are_copied(
    corpora: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    report = export_corpus(str(corpora["embedded"]), str(tmp_path / "out"))
    assert (report.written, report.linked) == (120, 0)
    assert sorted(read_bagel(tmp_path / "out", "edge")) == sorted(
        in_tars(corpora["embedded"], "edge")
    )


def all_files(output: Path) -> dict[str, bytes]:
    return {str(p.relative_to(output)): p.read_bytes() for p in output.rglob("*") if p.is_file()}


def test_a_second_export_changes_nothing(corpora: dict[str, Path], tmp_path: Path) -> None:
    output = tmp_path / "out"
    export_corpus(str(corpora["shared"]), str(output))
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*/*/*")}
    files = all_files(output)
    again = export_corpus(str(corpora["shared"]), str(output))
    assert (again.written, again.linked, again.kept, again.nbytes) == (0, 0, 120, 0)
    assert all_files(output) == files
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*/*/*")} == before


def test_a_stopped_export_goes_on(
    corpora: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, stopped = tmp_path / "a", tmp_path / "b"
    export_corpus(str(corpora["embedded"]), str(whole))

    def stop(progress: Progress) -> None:
        if progress.done == (progress.total or 0) // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_corpus(str(corpora["embedded"]), str(stopped), progress=stop)
    assert not (stopped / "denoise.txt").exists()
    for number, path in enumerate(sorted(stopped.rglob("*/*/*"))):
        if number % 3 == 0:  # what a killed machine may leave: gone, cut short, half written
            path.unlink()
        elif number % 3 == 1:
            path.unlink()
            path.write_bytes(b"cut")
            path.with_name(unfinished_name()).write_bytes(b"half")
    export_corpus(str(corpora["embedded"]), str(stopped))
    left = {name: data for name, data in all_files(stopped).items()
            if name.startswith(PROXIES) and not name.endswith(("jsonl", "txt"))}  # fmt: skip
    assert left == {name: data for name, data in all_files(whole).items() if name in left}
    assert len(left) == 120
    for proxy in PROXIES:
        assert read_bagel(stopped, proxy) == read_bagel(whole, proxy)


def test_some_proxies_alone(corpora: dict[str, Path], tmp_path: Path) -> None:
    report = export_corpus(str(corpora["embedded"]), str(tmp_path / "out"), proxies=["denoise"])
    assert report.samples == {"denoise": 24}
    assert not (tmp_path / "out" / "edge").exists()


def registries_after_its_lines(output: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """BAGEL's two registries, with one entry each, after the lines that `bagel.yaml` names."""
    lines = (output / "bagel.yaml").read_text().splitlines()[1:3]
    registry: dict[str, Any] = {"vlm_sft": "its own class"}
    info: dict[str, Any] = {"vlm_sft": {"its own": {}}}
    text = "\n".join(line.removeprefix("#").strip() for line in lines)
    exec(  # two lines that our own command wrote for a person to paste
        text,
        {"DATASET_REGISTRY": registry, "DATASET_INFO": info, "SegmentDataset": "SegmentDataset"},
    )
    return registry, info


def test_two_lines_register_every_proxy(corpora: dict[str, Path], tmp_path: Path) -> None:
    output = tmp_path / "out"
    export_corpus(str(corpora["embedded"]), str(output))
    registry, info = registries_after_its_lines(output)
    assert registry == {
        "vlm_sft": "its own class", **{f"sgt_{proxy}": "SegmentDataset" for proxy in PROXIES},
    }  # fmt: skip
    assert info.keys() == registry.keys() and info["vlm_sft"] == {"its own": {}}
    assert info["sgt_edge"]["sgt_edge"] == {
        "data_dir": f"{output}/edge/", "num_files": 1, "jsonl_path": f"{output}/edge.jsonl",
    }  # fmt: skip
    assert bagel_groups(output)["sgt_edge"]["dataset_names"] == ["sgt_edge"]


@pytest.fixture(scope="module")
def questions(corpora: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("asked") / "questions"
    write_questions(str(corpora["embedded"]), str(folder))
    return folder


def bagel_groups(output: Path) -> dict[str, Any]:
    groups: dict[str, Any] = yaml.safe_load((output / "bagel.yaml").read_text())
    return groups


def test_questions_get_a_stanza_with_half_the_weight_of_the_drawings(
    corpora: dict[str, Path], questions: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    options = ExportOptions(questions=str(questions))
    export_corpus(str(corpora["embedded"]), str(output), options=options)
    groups = bagel_groups(output)
    asked = groups.pop("vlm_sft")
    assert asked["weight"] * 2 == sum(group["weight"] for group in groups.values()) == 3.0
    lines = (questions / "train.jsonl").read_text().splitlines()
    assert asked["dataset_names"] == ["sgt_questions"]
    assert asked["num_used_data"] == [len(lines)] and asked["is_mandatory"] is True
    registry, info = registries_after_its_lines(output)
    assert registry["vlm_sft"] == "its own class" and "its own" in info["vlm_sft"]
    paths = info["vlm_sft"]["sgt_questions"]
    assert paths["num_total_samples"] == len(lines)
    for line in map(json.loads, Path(paths["jsonl_path"]).read_text().splitlines()):
        assert Path(paths["data_dir"], line["image"]).is_file()


def test_questions_are_refused_where_they_are_none_or_damaged(
    corpora: dict[str, Path], questions: Path, tmp_path: Path
) -> None:
    def export(folder: str) -> None:
        export_corpus(str(corpora["embedded"]), str(tmp_path / "out"),
                      options=ExportOptions(questions=folder))  # fmt: skip

    with pytest.raises(RequestError, match=r"has no questions\.json; name a folder"):
        export(str(tmp_path))
    with pytest.raises(RequestError, match="read local folders only"):
        export("memory://questions")
    shutil.copytree(questions, tmp_path / "damaged")
    min((tmp_path / "damaged/images").iterdir()).unlink()
    with pytest.raises(CorpusError, match="there is no picture"):
        export(str(tmp_path / "damaged"))
    assert not (tmp_path / "out").exists()


def test_groups_are_mandatory_only_while_they_fit(sample_sources: Path, tmp_path: Path) -> None:
    """Eight proxies of 1024 pixels: by hand, from the pictures' own sizes."""
    degrading = ["denoise", "deblur", "derain", "enhance", "inpainting", "super_resolution"]
    manifest = parse_manifest(
        {
            "name": "large",
            "pictures": {"min_side": 768, "max_side": 1024, "multiple_of": 16},
            "sources": [
                {"type": "coco", "root": f"{sample_sources}/coco", "annotations": ["instances"]}
            ],
            "proxies": [{"type": name} for name in ["edge", "reconstruction", *degrading]],
        }
    )
    build_corpus(manifest, str(tmp_path / "corpus"), cluster=IN_PROCESS)
    report = export_corpus(str(tmp_path / "corpus"), str(tmp_path / "out"))
    mandatory, tokens, alone = [], 0, []
    for name, group in bagel_groups(tmp_path / "out").items():
        proxy = name.removeprefix("sgt_")
        least = max(
            sample.input_image.width * sample.input_image.height // 256
            for sample in open_corpus(str(tmp_path / "corpus")).samples(proxy)
        )
        # 256 of the ViT, 6 marks and at most 100 of text beside the target's own
        (mandatory if group["is_mandatory"] else alone).append(name)
        if group["is_mandatory"]:
            tokens += least
    assert tokens + len(mandatory) * 106 < 16384 < tokens + len(mandatory) * 362 + least + 362
    assert mandatory and alone
    (note,) = (note for note in report.notes if "mandatory" in note)
    assert all(name in note for name in alone) and f"{len(mandatory)} mandatory groups" in note
    text = (tmp_path / "out/bagel.yaml").read_text()
    (stated,) = re.findall(r"Mandatory groups have ([\d,]+) together", text)
    assert f"{stated} tokens together" in note
    assert tokens < int(stated.replace(",", "")) <= 16384


@pytest.mark.parametrize(
    ("options", "messages"),
    [
        ({}, []),
        ({"ranks": 3}, []),
        ({"ranks": 5, "workers": 2}, ["sgt_panoptic: with", "never give 2 of 12 samples"]),
        ({"ranks": 4, "workers": 4}, ["sgt_panoptic: 12 samples for 4 ranks x 4 workers",
                                      "wait for ever"]),
        ({"workers": 13}, ["sgt_panoptic: 12 samples for 1 rank x 13 workers"]),
    ],
)  # fmt: skip
def test_workers_that_would_starve_are_named(
    corpora: dict[str, Path], tmp_path: Path, options: dict[str, int], messages: list[str]
) -> None:
    report = export_corpus(
        str(corpora["embedded"]), str(tmp_path / "out"), proxies=["panoptic"],
        options=ExportOptions(**options),
    )  # fmt: skip
    notes = [note for note in report.notes if note.startswith("sgt_panoptic")]
    assert bool(notes) == bool(messages)
    assert all(message in notes[0] for message in messages)


@pytest.mark.parametrize("form", FORMS)
def test_paths_can_be_relative_so_that_the_folder_can_move(
    corpora: dict[str, Path], questions: Path, tmp_path: Path, form: Form,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    shutil.copytree(questions, tmp_path / "here/questions")
    options = ExportOptions(
        relative_to=str(tmp_path / "here"), questions=str(tmp_path / "here/questions")
    )
    output = tmp_path / "here/data/out"
    report = export_corpus(str(corpora["embedded"]), str(output), form, options=options)
    assert not any("absolute" in note for note in report.notes)
    listed = [path for path in output.iterdir() if path.is_file() and path.name != "export.json"]
    assert len(listed) >= 7
    for path in listed:
        lines = [line for line in path.read_text().splitlines() if "start" not in line]
        assert str(tmp_path) not in "\n".join(lines), path.name
    shutil.move(tmp_path / "here", tmp_path / "there")
    monkeypatch.chdir(tmp_path / "there")
    moved = Path("data/out")
    expected = in_tars(corpora["embedded"], "edge")
    assert sorted(read_list(moved, "edge", form)) == sorted(sample[:2] for sample in expected)
    if form == "omnigen2":
        assert sorted(read_omnigen2(moved, "edge")) == sorted(expected)
    else:
        _, info = registries_after_its_lines(moved)
        held = [fields for sets in info.values() for fields in sets.values() if fields]
        assert len(held) == 1 + len(PROXIES)
        for fields in held:
            assert Path(fields["data_dir"]).is_dir() and Path(fields["jsonl_path"]).is_file()


def test_sgts_omnigen2_gets_the_proxies_that_its_prompts_ask_for(
    corpora: dict[str, Path], questions: Path, sample_sources: Path, tmp_path: Path
) -> None:
    document = both_sources_document(sample_sources, shard_samples=5)
    document["proxies"] = [
        *document["proxies"], {"type": "edge"}, {"type": "generate", "of": "entity"},
    ]  # fmt: skip
    build_corpus(parse_manifest(document), str(tmp_path / "corpus"), cluster=IN_PROCESS)
    options = ExportOptions(questions=str(questions), ranks=8)
    report = export_corpus(
        str(tmp_path / "corpus"), str(tmp_path / "out"), "omnigen2", options=options
    )
    configs = {
        name: [
            entry["type"] for entry in yaml.safe_load((tmp_path / "out" / name).read_text())["data"]
        ]
        for name in ("omnigen2.yml", "omnigen2_sgt.yml")
    }
    assert configs["omnigen2_sgt.yml"] == ["entity", "instance", "panoptic", "sft"]
    assert len(configs["omnigen2.yml"]) == 6
    (note,) = (note for note in report.notes if "omnigen2_sgt.yml" in note)
    assert "semantic (one colour for all objects of a class)" in note
    assert "edge (no segmentation)" in note
    assert "generate-entity (its target is the photo)" in note
    assert f"OMNIGEN2_SFT_IMAGE_ROOT={questions}" in (tmp_path / "out/omnigen2_sgt.yml").read_text()


def test_without_a_proxy_that_its_prompts_ask_for_there_is_no_list_for_sgts_omnigen2(
    corpora: dict[str, Path], tmp_path: Path
) -> None:
    report = export_corpus(
        str(corpora["embedded"]), str(tmp_path / "out"), "omnigen2", ["edge"],
        options=ExportOptions(ranks=25),
    )  # fmt: skip
    assert not (tmp_path / "out/omnigen2_sgt.yml").exists()
    assert [Path(path).name for path in report.configs] == ["omnigen2.yml"]
    assert any("is not written" in note for note in report.notes)
    assert any("24 samples for 25 ranks" in note for note in report.notes)


def test_pictures_that_a_trainer_would_resize_are_noted(
    corpora: dict[str, Path], tmp_path: Path
) -> None:
    report = export_corpus(str(corpora["embedded"]), str(tmp_path / "out"))
    assert "blends the colours" in report.notes[0]
    assert "absolute paths" in report.notes[1] and "--relative-to" in report.notes[1]


@pytest.mark.parametrize("name", ["my_jpgs", "sam_selection"])
def test_a_folder_that_the_loaders_would_misread_is_refused(
    corpora: dict[str, Path], tmp_path: Path, name: str
) -> None:
    with pytest.raises(RequestError, match="must not be in the folder's name"):
        export_corpus(str(corpora["embedded"]), str(tmp_path / name / "out"))
    assert not (tmp_path / name).exists()


def test_what_is_not_this_export_is_left_alone(corpora: dict[str, Path], tmp_path: Path) -> None:
    output = tmp_path / "out"
    export_corpus(str(corpora["embedded"]), str(output), proxies=["edge"])
    for request in ({"form": "omnigen2"}, {"proxies": ["denoise"]}):
        with pytest.raises(RequestError, match=r"there, .* here"):
            export_corpus(str(corpora["embedded"]), str(output), **request)  # type: ignore[arg-type]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("")
    with pytest.raises(RequestError, match=r"holds other files \(thesis\.txt\)"):
        export_corpus(str(corpora["embedded"]), str(tmp_path / "mine"))
    with pytest.raises(RequestError, match="has no proxy 'nothing'"):
        export_corpus(str(corpora["embedded"]), str(output), proxies=["nothing"])
    with pytest.raises(RequestError, match="local folders only"):
        export_corpus(str(corpora["embedded"]), "memory://somewhere")


def test_damaged_bytes_are_not_exported(corpora: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(corpora["embedded"], tmp_path / "damaged")
    tar = min((tmp_path / "damaged" / "edge").glob("*.tar"))
    data = bytearray(tar.read_bytes())
    data[data.index(b"\x89PNG") + 60] ^= 1
    tar.write_bytes(data)
    with pytest.raises(CorpusError, match=r"target of sample .* another CRC-32"):
        export_corpus(str(tmp_path / "damaged"), str(tmp_path / "out"))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("extension", ["png", "jpg"])
def test_the_target_is_where_the_loaders_look(form: Form, extension: str) -> None:
    picture, target = LAYOUTS[form].names("sa_1", extension)
    assert LAYOUTS[form].target_of(picture) == target


def test_the_command_exports(corpora: dict[str, Path], tmp_path: Path) -> None:
    code = "from sgt_data.cli.app import main; main()"
    command = [sys.executable, "-c", code, "export", str(corpora["shared"]), "--json"]
    done = subprocess.run(
        [*command, "--output", str(tmp_path / "out"), "--format", "omnigen2", "--proxy", "edge"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["samples"] == {"edge": 24}
    assert len(read_omnigen2(tmp_path / "out", "edge")) == 24
    wrong = subprocess.run(
        [*command, "--output", str(tmp_path / "no"), "--format", "llava"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert wrong.returncode == 2
    assert f"allowed: {', '.join(FORMATS)}" in wrong.stderr


def test_the_help_names_every_format() -> None:
    """It is written by hand, as no format is loaded for it."""
    shown = inspect.get_annotations(export_command, eval_str=True)["form"].__metadata__[0].help
    assert f"reads it: {', '.join(FORMATS)}; or questions" in shown
