"""The export of folders: the corpus' own bytes, and lists and configurations in published forms."""

from __future__ import annotations

import csv
import json
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import datasets
import fsspec
import numpy as np
import pytest
import yaml
from picture_pairs import PROXIES, SAMPLES, build_pairs, write_sources
from PIL import Image
from s3_server import new_bucket, s3_in_use

import sgt_data
from sgt_data import open_corpus
from sgt_data.errors import RequestError
from sgt_data.exports.export import export_corpus
from sgt_data.exports.export_options import ExportOptions
from sgt_data.exports.export_report import ExportReport
from sgt_data.exports.trainer_sizes import (
    covering_side,
    diffusers_buckets,
    most_pixels,
    not_square,
    off_multiple,
    outside_buckets,
    simpletuner_resizes,
    simpletuner_side,
    square_side,
)
from sgt_data.progress import Progress


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("pairs")
    write_sources(root / "sources")
    build_pairs(root / "sources", root / "varied", "varied")
    build_pairs(root / "sources", root / "shared", "varied", inputs="shared")
    build_pairs(root / "sources", root / "squares", "squares")
    return {name: root / name for name in ("varied", "shared", "squares")}


@pytest.fixture(scope="module")
def export(corpora: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> ExportReport:
    output = tmp_path_factory.mktemp("exports") / "varied"
    return export_corpus(str(corpora["varied"]), str(output), "folders")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def all_files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", ["varied", "shared"])
def test_every_file_has_the_bytes_of_the_corpus(
    corpora: dict[str, Path], tmp_path: Path, name: str
) -> None:
    report = export_corpus(str(corpora[name]), str(tmp_path / "out"), "folders")
    assert report.samples == dict.fromkeys(PROXIES, SAMPLES)
    for proxy in PROXIES:
        folder, expected = tmp_path / "out" / proxy, {}
        for sample in open_corpus(str(corpora["varied"])).samples(proxy):
            expected[f"input/{sample.key}.{sample.input_extension}"] = sample.input
            expected[f"target/{sample.key}.{sample.extension}"] = sample.target
            expected[f"target/{sample.key}.txt"] = sample.instruction.encode()
        written = {path: data for path, data in all_files(folder).items() if "/" in path}
        assert written == expected


def test_extensions_name_the_real_formats(export: ExportReport) -> None:
    pictures = [p for p in Path(export.output).rglob("*/*/*") if p.suffix != ".txt"]
    assert {path.suffix for path in pictures} == {".jpg", ".png"}
    for path in pictures:
        with Image.open(path) as image:
            assert image.format == {".jpg": "JPEG", ".png": "PNG"}[path.suffix]


def test_files_of_the_same_bytes_are_linked(export: ExportReport) -> None:
    root = Path(export.output)
    nodes = {p.relative_to(root).as_posix(): p.stat().st_ino for p in root.rglob("*/*/*")}
    for key in (path.stem for path in (root / "panoptic/input").iterdir()):
        clean = nodes[f"panoptic/input/{key}.jpg"]
        assert clean == nodes[f"edge/input/{key}.jpg"] == nodes[f"depth/input/{key}.jpg"]
        assert clean == nodes[f"generate-panoptic/target/{key}.jpg"]
        drawn = nodes[f"panoptic/target/{key}.png"]
        assert drawn == nodes[f"generate-panoptic/input/{key}.png"]
        assert nodes[f"denoise/input/{key}.jpg"] != clean
    # inputs of edge and depth, and both pictures of generate-panoptic
    assert export.linked == 4 * SAMPLES


def test_lists_have_the_published_columns_and_the_order_of_the_corpus(
    corpora: dict[str, Path], export: ExportReport
) -> None:
    for proxy in PROXIES:
        folder = Path(export.output) / proxy
        samples = list(open_corpus(str(corpora["varied"])).samples(proxy))
        pictures = [
            (f"input/{s.key}.{s.input_extension}", f"target/{s.key}.{s.extension}", s.instruction)
            for s in samples
        ]
        # Hugging Face imagefolder; the columns are instruct-pix2pix' defaults
        assert lines(folder / "metadata.jsonl") == [
            {"input_image_file_name": shown, "edit_prompt": text, "edited_image_file_name": drawn}
            for shown, drawn, text in pictures
        ]
        with (folder / "diffsynth.csv").open(newline="") as file:
            assert list(csv.DictReader(file)) == [
                {"image": drawn, "prompt": text, "edit_image": shown, "kontext_images": shown}
                for shown, drawn, text in pictures
            ]
        assert lines(folder / "musubi.jsonl") == [
            {"image_path": f"{folder}/{drawn}", "control_path": f"{folder}/{shown}",
             "caption": text}
            for shown, drawn, text in pictures
        ]  # fmt: skip
        assert lines(folder / "facts.jsonl") == [dict(sample.facts) for sample in samples]


def test_the_facts_of_an_export_decode_its_targets(
    corpora: dict[str, Path], export: ExportReport
) -> None:
    for proxy in ("panoptic", "depth"):
        folder = Path(export.output) / proxy
        samples = open_corpus(str(corpora["varied"])).samples(proxy)
        for facts, sample in zip(lines(folder / "facts.jsonl"), samples, strict=True):
            target = (folder / f"target/{facts['key']}.png").read_bytes()
            decoded = sgt_data.decode(target, facts)
            original = sgt_data.decode(sample.target, sample.facts)
            field = "labels" if proxy == "panoptic" else "inverse_depth"
            assert np.array_equal(getattr(decoded, field), getattr(original, field))


def test_datasets_reads_a_folder_as_it_is(
    corpora: dict[str, Path], export: ExportReport, tmp_path: Path
) -> None:
    for proxy in ("denoise", "generate-panoptic"):
        loaded = datasets.load_dataset(f"{export.output}/{proxy}", cache_dir=str(tmp_path))
        assert list(loaded) == ["train"]
        assert loaded["train"].column_names == ["input_image", "edit_prompt", "edited_image"]
        samples = open_corpus(str(corpora["varied"])).samples(proxy)
        for row, sample in zip(loaded["train"], samples, strict=True):
            assert row["edit_prompt"] == sample.instruction
            assert np.array_equal(row["input_image"].convert("RGB"), sample.input_image)
            assert np.array_equal(row["edited_image"].convert("RGB"), sample.target_image)


def test_configurations_have_the_published_fields(export: ExportReport) -> None:
    root = Path(export.output)
    assert [Path(path).name for path in export.configs] == [
        "arguments.txt", "musubi.toml", "ai_toolkit.yaml", "simpletuner.json",
    ]  # fmt: skip
    musubi = tomllib.loads((root / "musubi.toml").read_text())
    assert musubi["general"] == {
        "batch_size": 1, "enable_bucket": True, "bucket_no_upscale": True,
    }  # fmt: skip
    assert musubi["datasets"][1] == {
        "image_jsonl_file": f"{root}/edge/musubi.jsonl",
        "cache_directory": f"{root}/edge/musubi_cache", "resolution": [222, 222],
    }  # fmt: skip
    (process,) = yaml.safe_load((root / "ai_toolkit.yaml").read_text())["config"]["process"]
    assert len(process["datasets"]) == len(PROXIES)
    assert process["datasets"][1] == {
        "folder_path": f"{root}/edge/target", "control_path": f"{root}/edge/input",
        "caption_ext": "txt", "caption_dropout_rate": 0.0, "cache_latents_to_disk": True,
        "resolution": [222],
    }  # fmt: skip
    tuner = {entry["id"]: entry for entry in json.loads((root / "simpletuner.json").read_text())}
    assert len(tuner) == 2 * len(PROXIES) + 1
    target, shown = tuner["edge-targets"], tuner["edge-inputs"]
    assert target["dataset_name"] == shown["dataset_name"] == f"{root}/edge"
    assert target["conditioning_data"] == ["edge-inputs"]
    assert (target["image_column"], shown["image_column"]) == ("edited_image", "input_image")
    assert shown["conditioning_type"] == "reference_strict"
    assert target["cache_dir_vae"] != shown["cache_dir_vae"]
    assert tuner["texts"]["dataset_type"] == "text_embeds"
    arguments = (root / "arguments.txt").read_text().splitlines()
    assert f"--dataset_name {root}/edge --resolution 256" in arguments
    assert sum("--aspect_ratio_buckets '256,160;256,192;192,256'" in line
               for line in arguments) == len(PROXIES)  # fmt: skip


def test_paths_are_relative_to_a_stated_folder(corpora: dict[str, Path], tmp_path: Path) -> None:
    output = tmp_path / "my exports" / "out"
    options = ExportOptions(relative_to=str(tmp_path))
    export_corpus(str(corpora["varied"]), str(output), "folders", ["edge"], options=options)
    for row in lines(output / "edge/musubi.jsonl"):
        assert row["image_path"].startswith("my exports/out/edge/target/")
        assert (tmp_path / row["control_path"]).is_file()
    configs = [output / name for name in ("musubi.toml", "ai_toolkit.yaml", "simpletuner.json")]
    assert not any(str(tmp_path) in path.read_text() for path in configs)
    assert "--dataset_name 'my exports/out/edge' " in (output / "arguments.txt").read_text()


def test_a_stopped_export_goes_on_to_the_same_bytes(
    corpora: dict[str, Path], export: ExportReport, tmp_path: Path
) -> None:
    def stop(progress: Progress) -> None:
        if progress.done == (progress.total or 0) // 2:
            raise KeyboardInterrupt

    output = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        export_corpus(str(corpora["varied"]), str(output), "folders", progress=stop)
    for number, path in enumerate(sorted(output.rglob("*/*/*"))):
        if number % 3 == 0:  # what a killed process or machine may leave
            data = path.read_bytes()
            path.unlink()
            path.write_bytes(data[: len(data) // 2])
            path.with_name(path.name + ".part").write_bytes(b"half")
    export_corpus(str(corpora["varied"]), str(output), "folders")
    whole = all_files(Path(export.output))
    went_on = all_files(output)
    assert went_on.keys() == whole.keys()
    there, here = export.output.encode(), str(output).encode()
    assert went_on == {path: data.replace(there, here) for path, data in whole.items()}
    again = export_corpus(str(corpora["varied"]), str(output), "folders")
    assert (again.written, again.linked, again.kept) == (0, 0, 3 * SAMPLES * len(PROXIES))
    assert all_files(output) == went_on


def test_an_export_is_written_to_stores_with_paths_for_a_local_copy(
    corpora: dict[str, Path], tmp_path: Path
) -> None:
    local = tmp_path / "local"
    export_corpus(str(corpora["varied"]), str(local), "folders", ["panoptic", "denoise"])
    with s3_in_use():
        for url in ("memory://folders", f"{new_bucket()}/folders"):
            report = export_corpus(str(corpora["varied"]), url, "folders", ["panoptic", "denoise"])
            assert any("relative to the export's folder" in note for note in report.notes)
            files, root = fsspec.core.url_to_fs(url)
            stored = {
                path.removeprefix(root).lstrip("/"): files.cat_file(path)
                for path in files.find(root)
            }
            expected = {
                path: data.replace(f"{local}/".encode(), b"")
                for path, data in all_files(local).items()
            }
            assert stored == expected


def test_what_trainers_resize_whatever_is_configured_is_noted(
    corpora: dict[str, Path], export: ExportReport, tmp_path: Path
) -> None:
    total = SAMPLES * len(PROXIES)
    (resized,) = [note for note in export.notes if "these trainers resize" in note]
    assert f"of {total} samples these trainers resize: instruct-pix2pix {total}" in resized
    assert "SimpleTuner" in resized
    assert "musubi" not in resized
    assert [note for note in export.notes if "16 bits" in note] == [
        "depth: pictures have 16 bits, which the released loaders clip to white; build with bits: 8"
    ]
    squares = export_corpus(str(corpora["squares"]), str(tmp_path / "out"), "folders")
    assert not [note for note in squares.notes if "resize" in note]


def test_paths_of_an_export_at_a_url_have_one_meaning(corpora: dict[str, Path]) -> None:
    with pytest.raises(RequestError, match="leave relative_to out"):
        export_corpus(
            str(corpora["varied"]), "memory://meant", "folders",
            options=ExportOptions(relative_to="/data"),
        )  # fmt: skip


def test_options_of_other_formats_are_refused(corpora: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="ranks: the format folders takes no such option"):
        export_corpus(
            str(corpora["varied"]), str(tmp_path / "out"), "folders",
            options=ExportOptions(ranks=2),
        )  # fmt: skip


# --- sizes


def test_settings_cover_every_size() -> None:
    sizes = Counter({(1024, 688): 3, (640, 480): 5, (512, 1024): 1})
    assert most_pixels(sizes) == 1024 * 688
    side = covering_side(sizes)
    assert side**2 >= 1024 * 688 > (side - 1) ** 2
    assert off_multiple(sizes) == 0
    assert off_multiple(Counter({(640, 427): 2, (640, 480): 5})) == 2


def test_one_bucket_stands_for_each_aspect_ratio() -> None:
    sizes = Counter({(512, 512): 4, (1024, 1024): 2, (640, 480): 1, (320, 240): 1})
    assert diffusers_buckets(sizes) == ((512, 512), (640, 480))
    assert outside_buckets(sizes) == 3


def test_squares_of_one_size_pass_everywhere() -> None:
    for side in (64, 192, 512, 768, 1024):
        sizes = Counter({(side, side): 7})
        assert (square_side(sizes), not_square(sizes)) == (side, 0)
        assert (simpletuner_side(sizes), simpletuner_resizes(sizes)) == (side, 0)
        assert outside_buckets(sizes) == off_multiple(sizes) == 0


def test_simpletuner_enlarges_squares_near_a_usual_area() -> None:
    assert simpletuner_resizes(Counter({(448, 448): 2})) == 2
    assert simpletuner_resizes(Counter({(704, 704): 2})) == 2
