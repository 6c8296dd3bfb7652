"""The commands that show what there is, their pictures, and the pages that are made of them."""

from __future__ import annotations

import io
import json
import re
import runpy
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from PIL import Image

import sgt_data
from sgt_data import RequestError
from sgt_data.cli.app import main
from sgt_data.reference.drawn_examples import draw_examples
from sgt_data.segmentation.colours import TAB20

ROOT = Path(sgt_data.__file__).parent.parent
GENERATOR: dict[str, Any] = runpy.run_path(str(ROOT / "docs" / "generate_reference.py"))


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("command", "names"),
    [
        (
            "proxies",
            ["segmentation", "depth", "super_resolution", "high", "depth_anything"],
        ),
        ("sources", ["sa1b", "coco", "folder", "tars", "panoptic"]),
        ("annotators", ["sam", "edges", "depth_anything", "[annotate]"]),
        ("palettes", ["distinct", "category", "position", "tab20"]),
    ],
)
def test_a_list_shows_all_there_is_and_what_to_do_next(
    command: str, names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command) == 0
    shown = capsys.readouterr()
    assert all(name in shown.out for name in names), shown.out
    assert f"next: sgt-data {command} " in shown.err


def test_one_of_them_is_shown_with_fields_entry_instructions_and_docs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("proxies", "panoptic") == 0
    shown = capsys.readouterr()
    for part in (
        "tier: high", "{type: segmentation, name: panoptic, variant: panoptic}", "must be given",
        "filters.min_area: number, 0 to 1; default 0.0", "instructions segmentation_panoptic:",
        "page of the docs: Proxies field by field, segmentation", "fields of all proxies:",
    ):  # fmt: skip
        assert part in shown.out, part
    assert "next: sgt-data proxies segmentation --picture segmentation.png" in shown.err


def test_as_json_it_is_one_line_with_the_same_facts(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("sources", "coco", "--json") == 0
    (line,) = capsys.readouterr().out.splitlines()
    document = json.loads(line)
    root = next(field for field in document["fields"] if field["name"] == "root")
    assert root["required"] and "annotations" in root["meaning"]
    assert run("palettes", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in document["palettes"]][-1] == "tab20"


def test_a_picture_is_written_in_the_format_of_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "tab20.png"
    assert run("palettes", "tab20", "-o", str(place), "--json") == 0
    stated = json.loads(capsys.readouterr().out)["picture"]
    with Image.open(place) as picture:
        assert picture.format == "PNG"
        assert picture.size == (stated["width"], stated["height"])
        colours = {colour for _, colour in picture.getcolors(1 << 20) or ()}
    assert {tuple(colour) for colour in TAB20.tolist()} <= colours


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("proxies", "--picture", "x.png"), "NAME"),
        (("proxies", "depth", "--picture", "x.bmp"), ".png"),
        (("proxies", "dept"), "did you mean depth?"),
        (("annotators", "same"), "did you mean sam?"),
        (("schema", "-o", "."), "is a folder"),
    ],
)
def test_wrong_requests_end_with_2_and_what_would_be_right(
    arguments: tuple[str, ...], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 2
    assert part in capsys.readouterr().err


def test_schema_writes_a_file_and_the_line_that_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "my.schema.json"
    assert run("schema", "-o", str(place)) == 0
    assert "# yaml-language-server: $schema=my.schema.json" in capsys.readouterr().out
    jsonschema.Draft202012Validator.check_schema(json.loads(place.read_text()))
    assert run("schema", "--of", "plan") == 0
    assert "ladder" in json.loads(capsys.readouterr().out)["properties"]


# --- pictures


def colours_of(picture: Image.Image) -> set[tuple[int, ...]]:
    return {colour for _, colour in picture.getcolors(1 << 24) or ()}  # type: ignore[misc]


def test_the_picture_of_a_proxy_shows_the_targets_that_it_draws() -> None:
    picture = sgt_data.example_picture("proxies", "segmentation")
    examples = draw_examples(sgt_data.describe_proxy("segmentation").examples)
    assert [example.name for example in examples] == ["entity", "instance", "panoptic", "semantic"]
    shown = colours_of(picture)
    for example in examples:
        with Image.open(io.BytesIO(example.sample.target)) as target:
            # shrinking leaves the colour of large segments as it is
            _, colour = max(target.convert("RGB").getcolors(1 << 20))  # type: ignore[type-var]
        assert colour in shown, example.name


@pytest.mark.parametrize(
    ("shown", "name"), [("proxies", "denoise"), ("sources", "folder"), ("annotators", "sam")]
)
def test_other_kinds_have_pictures_too(shown: Any, name: str) -> None:
    picture = sgt_data.example_picture(shown, name)
    assert picture.mode == "RGB"
    assert picture.width >= 600
    assert np.asarray(picture).std() > 20


def test_an_example_that_needs_an_annotator_is_left_out_of_the_picture() -> None:
    examples = draw_examples(sgt_data.describe_proxy("edge").examples)
    assert [example.name for example in examples] == ["edge", "canny"]
    examples = draw_examples(sgt_data.describe_proxy("depth").examples)
    assert [example.name for example in examples] == ["depth", "depth-inferno"]
    with pytest.raises(RequestError, match="annotator"):
        draw_examples([{"type": "edge", "method": "annotator", "annotator": "edges"}])


# --- pages


def test_pages_are_what_the_models_say() -> None:
    """`python docs/generate_reference.py` writes them again."""
    pages = GENERATOR["pages"]()
    assert len(pages) == 6
    assert [path for path, text in pages.items() if (ROOT / path).read_text("utf-8") != text] == []


def test_every_kind_and_palette_has_a_picture_that_is_small() -> None:
    """`python docs/generate_reference.py --pictures` draws them again."""
    for path in GENERATOR["pictures"]():
        assert (ROOT / path).stat().st_size < 150_000, path


def test_a_picture_of_the_docs_is_what_is_drawn_now() -> None:
    drawn = sgt_data.example_picture("palettes", "category")
    with Image.open(ROOT / "docs" / "pictures" / "palette-category.jpg") as picture:
        assert picture.size == drawn.size
        gaps = np.abs(np.asarray(picture.convert("RGB")).astype(int) - np.asarray(drawn))
    assert gaps.mean() < 6


def test_links_and_pictures_of_the_pages_lead_somewhere() -> None:
    pages = [*(ROOT / "docs" / "reference").glob("*.md"), ROOT / "docs" / "proxies.md"]
    assert len(pages) == 6
    for page in pages:
        for target in re.findall(r"\]\(([^)#]+\.(?:md|jpg))", page.read_text("utf-8")):
            assert (page.parent / target).is_file(), f"{page.name}: {target}"


def test_the_tour_shows_every_proxy() -> None:
    tour = (ROOT / "docs" / "proxies.md").read_text("utf-8")
    assert all(facts.type in tour for facts in sgt_data.list_kinds("proxies") if facts.docs)
