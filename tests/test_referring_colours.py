"""Referring in stated colours: the instruction writes them, the target has them, nothing else
changes."""

from __future__ import annotations

import copy
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from making import built, encoded, manifest_of, samples_in, shown, spoiled
from numpy.typing import NDArray
from PIL import Image, ImageColor
from subjects import facts_and_targets

import sgt_data
from sgt_data import decode, verify_corpus
from sgt_data.errors import CorpusError, ManifestError
from sgt_data.experiment.measure.fidelity import GeneratedTarget, layout_fidelity
from sgt_data.prompts.bank import load_bank
from sgt_data.proxies.referring import ReferringProxy
from sgt_data.view.sample_document import sample_document

COLOURED = {
    "all-random": {"color": "random", "background": "random"},
    "named": {"color": "random", "background": "random", "colour_forms": ["name"]},
    "red-on-grey": {"color": "red", "background": "#808080", "colour_forms": ["hex"]},
    "white-on-black": {"colour_forms": ["levels"]},
    "far": {"color": "random", "background": "random", "min_distance": 200},
}


@pytest.fixture(scope="module")
def corpus(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("colours") / "corpus"
    source = {"type": "coco", "root": f"{sample_sources}/coco", "annotations": ["panoptic"]}
    proxies = [{"type": "referring"}] + [
        {"type": "referring", "name": name} | fields for name, fields in COLOURED.items()
    ]
    pictures = {"min_side": 64, "max_side": 192, "multiple_of": 8}
    assert built(output, source, proxies, pictures=pictures).succeeded
    return output


def rgb(target: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(target)) as image:
        return np.asarray(image.convert("RGB"))


def read_by_pillow(text: str) -> tuple[int, ...]:
    """A colour of an instruction as Pillow's parser of CSS colours reads it."""
    return ImageColor.getrgb(f"rgb{text}" if text.startswith("(") else text.replace(" ", ""))


def test_a_corpus_in_stated_colours_is_sound(corpus: Path) -> None:
    verdict = verify_corpus(str(corpus), deep=True)
    assert verdict.sound, verdict.findings


@pytest.mark.parametrize("name", COLOURED)
def test_the_target_has_the_two_colours_that_the_instruction_writes(
    name: str, corpus: Path
) -> None:
    """Where the plain mask is white it has the one, elsewhere the other; phrases are the same."""
    plain = {
        facts["key"]: (facts, target) for facts, target in facts_and_targets(corpus, "referring")
    }
    samples = samples_in(corpus, name)
    assert samples.keys() == plain.keys()
    bank = load_bank("referring_colour")
    for key, files in samples.items():
        facts, target = json.loads(files["json"]), files["target.png"]
        words, text = facts["instruction"]["words"], files["txt"].decode()
        line = bank.train[facts["instruction"]["line"]]
        for word in ("target", "color", "background"):
            line = line.replace(f"{{{word}}}", words[word])
        assert text == line
        mask = rgb(plain[key][1])[..., 0] > 0
        color, background = read_by_pillow(words["color"]), read_by_pillow(words["background"])
        assert (rgb(target)[mask] == color).all() and (rgb(target)[~mask] == background).all()
        assert (facts["color"], facts["unlabelled"]) == (list(color), list(background))
        assert all(segment["color"] == list(color) for segment in shown(facts))
        least = COLOURED[name].get("min_distance", 100)
        assert np.linalg.norm(np.subtract(color, background)) >= least
        assert facts["referring"] == plain[key][0]["referring"]
        decoded, usual = decode(target, facts), decode(plain[key][1], plain[key][0])
        np.testing.assert_array_equal(decoded.labels, usual.labels)
        assert decoded.segments[0]["ids"] == usual.segments[0]["ids"]
        assert sample_document(facts, text)["reading"] == "mask"


def test_colours_are_drawn_anew_for_each_sample_and_written_in_every_form(corpus: Path) -> None:
    written = [
        facts["instruction"]["words"] for facts, _ in facts_and_targets(corpus, "all-random")
    ]
    assert len({words["color"] for words in written}) == len(written) > 8
    assert any(words["color"].startswith("#") for words in written)
    assert any(words["color"].startswith("(") for words in written)
    assert any(words["color"][0].isalpha() for words in written)
    for facts, _ in facts_and_targets(corpus, "named"):
        assert facts["instruction"]["words"]["background"].replace(" ", "") in ImageColor.colormap


def test_white_on_black_is_what_it_was(corpus: Path) -> None:
    """No field, fact or word of colours, in the corpus or in its samples."""
    header = json.loads((corpus / "corpus.json").read_bytes())
    plain, *coloured = header["manifest"]["proxies"]
    later = {"color", "background", "colour_forms", "min_distance"}
    assert not later & plain.keys()
    assert all(later <= proxy.keys() for proxy in coloured)
    for facts, target in facts_and_targets(corpus, "referring"):
        assert not {"color", "min_distance"} & facts.keys()
        assert facts["instruction"]["words"].keys() == {"target"}
        assert facts["instruction"]["bank"] == "referring"
        with Image.open(io.BytesIO(target)) as image:
            assert image.mode == "L"
    assert manifest_of(header["manifest"]["sources"], header["manifest"]["proxies"])


def problems_of(facts: dict[str, Any], target: bytes, **fields: Any) -> str:
    changed = copy.deepcopy(facts)
    words = changed["instruction"]["words"]
    for name, value in fields.items():
        if name.startswith("word_"):
            words[name.removeprefix("word_")] = value
        else:
            changed[name] = value
    return "; ".join(ReferringProxy.contradictions(target, changed))


def test_colours_that_do_not_fit_are_found(corpus: Path) -> None:
    for facts, target in facts_and_targets(corpus, "all-random"):
        words = facts["instruction"]["words"]
        assert problems_of(facts, target) == ""
        assert "the colour as" in problems_of(facts, target, word_color="#010203")
        assert "the background as" in problems_of(facts, target, word_background="(1, 2, 3)")
        assert "no colour" in problems_of(facts, target, word_background="bluish")
        swapped = problems_of(
            facts, target, word_color=words["background"], word_background=words["color"]
        )
        assert "the colour as" in swapped and "the background as" in swapped
        assert "min_distance" in problems_of(facts, target, min_distance=441.0)
        for fields in ({"color": [1, 2, 3]}, {"unlabelled": [1, 2, 3]}, {"color": "red"},
                       {"unlabelled": [0, 0, 256]}, {"min_distance": "far"}):  # fmt: skip
            with pytest.raises(CorpusError):
                problems_of(facts, target, **fields)
        pixels = np.array(rgb(target))
        pixels[0, 0] ^= 1
        with pytest.raises(CorpusError, match="which no segment has"):
            problems_of(facts, encoded(Image.fromarray(pixels), "PNG"))


def test_spoiled_facts_are_refused_or_found_and_never_crash(corpus: Path) -> None:
    rng = np.random.default_rng(2)
    samples = list(facts_and_targets(corpus, "all-random"))
    for number in range(300):
        facts, target = samples[number % len(samples)]
        for check in (ReferringProxy.contradictions, ReferringProxy.decode):
            try:
                check(target, spoiled(rng, facts))
            except CorpusError:
                continue


def test_a_perfect_drawing_scores_perfectly_in_any_colours(corpus: Path) -> None:
    targets = []
    for facts, target in facts_and_targets(corpus, "all-random"):
        picture = rgb(target).transpose(2, 0, 1) / 127.5 - 1
        targets.append(GeneratedTarget(picture, picture, target, facts))
    assert layout_fidelity(targets, {}, 0)["IoU"].value == 1


def test_exports_hold_the_stated_colours(corpus: Path, tmp_path: Path) -> None:
    """A row of OmniGen2's form names the picture in the colours that its instruction writes."""
    report = sgt_data.export_corpus(str(corpus), str(tmp_path / "out"), "omnigen2", ["red-on-grey"])
    assert report.succeeded
    rows = [
        json.loads(line)
        for file in sorted((tmp_path / "out").rglob("*.jsonl"))
        for line in file.read_text().splitlines()
    ]
    assert rows and all("#ff0000" in row["instruction"] for row in rows)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"color": "reddish"}, "'reddish' writes no colour"),
        ({"color": "whit"}, "white"),
        ({"background": "(0, 0, 256)"}, "level above 255"),
        ({"background": "#fff"}, "writes no colour"),
        ({"color": "white", "background": "snow"}, "lie"),
        ({"color": "black"}, "0 levels apart"),
        ({"min_distance": 300}, "min_distance"),
        ({"colour_forms": []}, "colour_forms"),
        ({"colour_forms": ["rgb"]}, "colour_forms"),
    ],
)
def test_colours_that_no_sample_could_have_are_refused(
    fields: dict[str, Any], words: str, sample_sources: Path
) -> None:
    source = {"type": "coco", "root": f"{sample_sources}/coco", "annotations": ["panoptic"]}
    with pytest.raises(ManifestError) as refused:
        manifest_of(source, [{"type": "referring"} | fields])
    assert words in str(refused.value)


def test_own_lines_have_the_colours_where_they_are_stated(
    sample_sources: Path, tmp_path: Path
) -> None:
    source = {"type": "coco", "root": f"{sample_sources}/coco", "annotations": ["panoptic"]}
    lines = tmp_path / "lines.txt"
    lines.write_text("[train]\nMark {target} in {color}.\n[held-out]\n{target}: {color}.\n")
    proxy = {"type": "referring", "instructions": str(lines)}
    with pytest.raises(ManifestError, match=r"has \{color\}; allowed: \{target\}"):
        manifest_of(source, [proxy])
    with pytest.raises(ManifestError, match=r"lacks \{background\}"):
        manifest_of(source, [proxy | {"color": "random"}])
