"""Reversed proxies: the pictures of another proxy the other way round, none stored twice."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import orjson
import pytest
import tars_side_by_side
from corpora import file_digests
from making import bomb_jpeg, built, ledger_in, manifest_of, proxy_of, tar_members
from PIL import Image

import sgt_data
from sgt_data import open_corpus, verify_corpus
from sgt_data.corpus.sample import Sample
from sgt_data.corpus.shard import file_digest
from sgt_data.engine import render
from sgt_data.errors import CorpusError, ManifestError
from sgt_data.manifest.manifest import Manifest, load_manifest
from sgt_data.pictures.size_rule import SizeRule
from sgt_data.prompts.colour_words import colour_text
from sgt_data.proxies.registry import proxy_kinds
from sgt_data.proxies.segmentation import SegmentationProxy
from sgt_data.stream.sample_views import allows_crop
from sgt_data.stream.transforms import Pictures

BASES: list[dict[str, Any]] = [
    proxy_of("panoptic"),
    {"type": "depth", "colormap": "inferno"},
    {"type": "referring"},
    {"type": "boxes", "look": "overlay"},
    {"type": "edge", "name": "canny", "method": "canny"},
    {"type": "denoise"},
    {"type": "legend"},
    {"type": "each"},
]
NAMES = [str(base.get("name", base["type"])) for base in BASES]
REVERSED = [{"type": "generate", "of": name} for name in NAMES]
INPUTS = ("embedded", "shared")


@pytest.fixture(scope="module")
def coco(sample_sources: Path) -> dict[str, Any]:
    return {
        "type": "coco", "root": f"{sample_sources}/coco", "depth": f"{sample_sources}/depth",
        "annotations": ["instances", "panoptic"],
    }  # fmt: skip


@pytest.fixture(scope="module")
def corpora(coco: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """By form of inputs: `-alone` has the bases, `-both` their reverses too, in one build."""
    root = tmp_path_factory.mktemp("reversed")
    for inputs in INPUTS:
        built(root / f"{inputs}-alone", coco, BASES, inputs=inputs)
        # reverses first: their order in the manifest plays no part
        assert built(root / f"{inputs}-both", coco, REVERSED + BASES, inputs=inputs).succeeded
    return root


def of_shards(root: Path) -> dict[str, str]:
    """Digests of all files of shards."""
    stated = {"corpus.json", "README.md"}
    return {name: digest for name, digest in file_digests(root).items() if name not in stated}


def pairs(root: Path, name: str) -> Iterator[tuple[Sample, Sample]]:
    corpus = open_corpus(str(root))
    reverse = f"generate-{name}"
    assert len(corpus[reverse]) == len(corpus[name]) > 0
    yield from zip(corpus.samples(name), corpus.samples(reverse), strict=True)


@pytest.mark.parametrize("inputs", INPUTS)
@pytest.mark.parametrize("name", NAMES)
def test_a_reversed_sample_has_the_bytes_of_its_base_swapped(
    corpora: Path, inputs: str, name: str
) -> None:
    for base, reverse in pairs(corpora / f"{inputs}-both", name):
        assert base.key == reverse.key
        assert (reverse.input, reverse.target) == (base.target, base.input)
        words = reverse.facts["instruction"]["words"]["map"]
        assert words in reverse.instruction
        assert "{map}" not in reverse.instruction
        photo = sgt_data.decode(reverse.target, reverse.facts)
        assert np.array_equal(photo, np.asarray(Image.open(io.BytesIO(base.input))))
        assert reverse.input_extension == base.extension


@pytest.mark.parametrize("inputs", INPUTS)
def test_each_picture_can_be_read_alone(corpora: Path, inputs: str) -> None:
    corpus = open_corpus(str(corpora / f"{inputs}-both"))
    shard = corpus.shards("generate-depth")[0]
    for row, key in enumerate(corpus.index("generate-depth", shard)["key"].to_pylist()):
        base = corpus.sample("depth", shard, key)
        read = corpus.reader.members
        assert read("generate-depth", shard, row, ("input",)) == {"input": base.target}
        assert read("generate-depth", shard, row, ("target",)) == {"target": base.input}
        assert read("generate-depth", shard, row, ("instruction",)).keys() == {"instruction"}
        sample = corpus.reader.read("generate-depth", shard, row, with_input=False)
        assert (sample.input, sample.target) == (b"", base.input)


@pytest.mark.parametrize("inputs", INPUTS)
def test_no_byte_of_other_proxies_depends_on_their_reverses(corpora: Path, inputs: str) -> None:
    alone, both = of_shards(corpora / f"{inputs}-alone"), of_shards(corpora / f"{inputs}-both")
    assert alone.items() < both.items()
    new = {name.split("/")[1] for name in both.keys() - alone.keys() if "/" in name}
    assert {folder for folder in new if folder.startswith("generate-")}
    assert {name for name in both.keys() - alone.keys() if "generate-" not in name} == set()


@pytest.mark.parametrize("inputs", INPUTS)
def test_its_tars_hold_text_alone_and_a_sample_takes_less_than_three_blocks_of_text(
    corpora: Path, inputs: str
) -> None:
    root = corpora / f"{inputs}-both"
    for name in NAMES:
        for place in (root / f"generate-{name}").glob("*.tar"):
            members = tar_members(place.read_bytes())
            assert {member.partition(".")[2] for member in members} == {"txt", "json"}
            assert max(map(len, members.values())) < 3 * 512


@pytest.mark.parametrize("inputs", INPUTS)
def test_adding_it_later_draws_nothing_and_gives_the_bytes_of_one_build(
    corpora: Path, coco: dict[str, Any], tmp_path: Path, inputs: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    shutil.copytree(corpora / f"{inputs}-alone", tmp_path / "corpus")

    def never(*_: Any) -> Any:
        raise AssertionError("a picture was decoded")

    monkeypatch.setattr(render, "prepare", never)
    assert built(tmp_path / "corpus", coco, BASES + REVERSED, inputs=inputs).succeeded
    assert of_shards(tmp_path / "corpus") == of_shards(corpora / f"{inputs}-both")
    assert verify_corpus(str(tmp_path / "corpus")).sound


@pytest.mark.parametrize("inputs", INPUTS)
def test_a_build_that_was_killed_between_a_base_and_its_reverse_goes_on(
    corpora: Path, coco: dict[str, Any], tmp_path: Path, inputs: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from sgt_data.engine import build_stages

    whole, commits = build_stages.commit, 0

    def killed(root: str, encoded: Any) -> Any:
        nonlocal commits
        commits += 1
        if encoded.summary["proxy"] == "generate-depth":
            raise KeyboardInterrupt
        return whole(root, encoded)

    monkeypatch.setattr(build_stages, "commit", killed)
    with pytest.raises(KeyboardInterrupt):
        built(tmp_path / "corpus", coco, REVERSED + BASES, inputs=inputs)
    assert commits > len(BASES)  # bases come first: nobody sees a reverse without its pictures
    monkeypatch.setattr(build_stages, "commit", whole)
    assert built(tmp_path / "corpus", coco, REVERSED + BASES, inputs=inputs).succeeded
    assert of_shards(tmp_path / "corpus") == of_shards(corpora / f"{inputs}-both")


def test_a_base_and_its_reverse_are_drawn_once(
    coco: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    draw = SegmentationProxy.draw

    def counted(self: SegmentationProxy, subject: Any) -> Any:
        drawn.append(subject.key)
        return draw(self, subject)

    monkeypatch.setattr(SegmentationProxy, "draw", counted)
    report = built(tmp_path, coco, [BASES[0], REVERSED[0]])
    assert len(drawn) == len(set(drawn)) == report.totals["generate-panoptic"]["inputs"]


def test_what_the_base_lacks_is_named_in_its_ledger_too(
    coco: dict[str, Any], tmp_path: Path
) -> None:
    """In the same pass, and where the base was committed before."""
    picture = sorted((Path(coco["root"])).glob("*2017/*.jpg"))[0]
    shutil.copytree(coco["root"], tmp_path / "coco")
    damaged = tmp_path / "coco" / picture.relative_to(coco["root"])
    damaged.write_bytes(bomb_jpeg(60_000, 60_000))
    source = coco | {"root": str(tmp_path / "coco")}
    bases = [proxy_of("panoptic", filters={"min_segments": 5}), {"type": "reconstruction"}]
    reverse = {"type": "generate", "of": "panoptic"}
    built(tmp_path / "later", source, bases)
    for place, proxies in (("once", [*bases, reverse]), ("later", [*bases, reverse])):
        built(tmp_path / place, source, proxies)
        of_base = ledger_in(tmp_path / place, "panoptic")
        own = ledger_in(tmp_path / place, "generate-panoptic")
        assert {row["kind"] for row in of_base} == {"damaged", "filtered"}
        assert [row["reason"] for row in own] == [
            f"panoptic has no sample of it: {row['reason']}" for row in of_base
        ]
        keys = [(row["key"], row["member"], row["kind"]) for row in of_base]
        assert [(row["key"], row["member"], row["kind"]) for row in own] == keys
        assert verify_corpus(str(tmp_path / place), deep=True).sound
    assert of_shards(tmp_path / "once") == of_shards(tmp_path / "later")


@pytest.mark.parametrize("inputs", INPUTS)
def test_every_law_holds_and_older_readers_are_told(corpora: Path, inputs: str) -> None:
    root = corpora / f"{inputs}-both"
    verdict = verify_corpus(str(root), deep=True)
    assert verdict.sound, verdict.findings
    stated = [orjson.loads((root / "corpus.json").read_bytes())["minor"]]
    stated.append(orjson.loads((corpora / f"{inputs}-alone/corpus.json").read_bytes())["minor"])
    assert stated == [2, 1]
    sample = open_corpus(str(root))["generate-panoptic"][0]
    assert sample.facts["minor"] == 1


def changed_tar(root: Path, folder: str, change: Any) -> None:
    """Change the bytes of the first tar of a folder, and its receipt's digest with them."""
    tar = sorted((root / folder).glob("*.tar"))[0]
    data = bytearray(tar.read_bytes())
    change(data)
    tar.write_bytes(data)
    receipt = root / "receipts" / folder / f"{tar.stem}.json"
    stated = orjson.loads(receipt.read_bytes())
    stated["tar"] = file_digest(data)
    receipt.write_bytes(orjson.dumps(stated))


def test_deep_verification_finds_text_that_is_joined_with_another_picture(
    corpora: Path, tmp_path: Path
) -> None:
    root = tmp_path / "corpus"
    shutil.copytree(corpora / "embedded-both", root)
    shard = open_corpus(str(root)).shards("panoptic")[0]
    keys = open_corpus(str(root)).index("panoptic", shard)["key"].to_pylist()
    # two pictures of the base change places, with their checksums: the base itself is sound
    tars_side_by_side.swap_samples(root, "panoptic", shard, keys[0], keys[1])
    findings = verify_corpus(str(root), deep=True).findings
    of_reverse = [str(each) for each in findings if "generate-panoptic" in each.place]
    assert len([each for each in of_reverse if "its text is for another picture" in each]) >= 2


def test_deep_verification_finds_a_key_that_is_not_that_of_its_member(
    corpora: Path, tmp_path: Path
) -> None:
    root = tmp_path / "corpus"
    shutil.copytree(corpora / "shared-both", root)
    first, second = (sample.key for sample in open_corpus(str(root))["generate-depth"][:2])

    def swap(data: bytearray) -> None:
        at = data.index(f'"key":"{first}"'.encode())
        data[at : at + len(f'"key":"{first}"')] = f'"key":"{second}"'.encode()

    changed_tar(root, "generate-depth", swap)
    findings = " ".join(str(each) for each in verify_corpus(str(root), deep=True).findings)
    assert "JSON says key" in findings and "CRC-32" in findings


def with_swapped_colours(facts: dict[str, Any], text: str) -> tuple[dict[str, Any], str]:
    """The same legend in JSON and text, in which two classes have each other's colour."""
    words = facts["instruction"]["words"]["map"]
    first, second, *_ = re.findall(r"(?<= is )[^,)]+(?=[,)])", words)
    other = {first: second, second: first}
    swapped = re.sub(r"(?<= is )[^,)]+(?=[,)])", lambda it: other.get(it[0], it[0]), words)
    assert words != swapped and words in text
    facts["instruction"]["words"]["map"] = swapped
    return facts, text.replace(words, swapped)


def of_another_variant(facts: dict[str, Any], text: str) -> tuple[dict[str, Any], str]:
    facts["reversed"]["variant"] = "panoptic"
    return facts, text


def test_words_of_another_version_are_its_own(corpora: Path, tmp_path: Path) -> None:
    """A corpus stays sound where a later version says otherwise what its inputs are."""
    root = tmp_path / "corpus"
    shutil.copytree(corpora / "shared-both", root)
    corpus = open_corpus(str(root))
    shard = corpus.shards("generate-legend")[0]
    key = corpus.reader.key("generate-legend", shard, 0)
    tars_side_by_side.retell(root, "generate-legend", shard, key, with_swapped_colours)
    header = root / "corpus.json"
    stated = header.read_text()
    header.write_text(stated.replace(f'"sgt-data": "{version("sgt-data")}"', '"sgt-data": "0.0.1"'))
    assert header.read_text() != stated
    assert not any(
        "the instruction calls its input" in str(finding)
        for finding in verify_corpus(str(root), deep=True).findings
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (with_swapped_colours, "the instruction calls its input"),
        (of_another_variant, "variant of its input is 'panoptic', legend 'semantic'"),
    ],
)
def test_deep_verification_compares_the_text_with_the_facts_of_the_base(
    corpora: Path, tmp_path: Path, change: Any, words: str
) -> None:
    root = tmp_path / "corpus"
    shutil.copytree(corpora / "shared-both", root)
    corpus = open_corpus(str(root))
    shard = corpus.shards("generate-legend")[0]
    key = corpus.reader.key("generate-legend", shard, 0)
    tars_side_by_side.retell(root, "generate-legend", shard, key, change)
    (finding,) = verify_corpus(str(root), deep=True).findings
    assert key in str(finding) and words in str(finding)


def test_a_base_that_is_gone_is_named(corpora: Path, tmp_path: Path) -> None:
    root = tmp_path / "corpus"
    shutil.copytree(corpora / "embedded-both", root)
    for part in ("panoptic", "index/panoptic", "receipts/panoptic", "quarantine/panoptic"):
        shutil.rmtree(root / part)
    findings = " ".join(str(each) for each in verify_corpus(str(root)).findings)
    assert "panoptic has no pictures for" in findings
    with pytest.raises(CorpusError, match="panoptic"):
        open_corpus(str(root))["generate-panoptic"][0]
    document = orjson.loads((corpora / "embedded-both" / "corpus.json").read_bytes())
    proxies = document["manifest"]["proxies"]
    document["manifest"]["proxies"] = [each for each in proxies if each["name"] != "panoptic"]
    (root / "corpus.json").write_bytes(orjson.dumps(document))
    with pytest.raises(sgt_data.SgtDataError, match="has no proxy 'panoptic'"):
        open_corpus(str(root))["generate-panoptic"][0]


@pytest.mark.parametrize("of", ["../../etc", "generate-depth", 7, None, "nowhere"])
def test_a_header_that_names_no_proxy_as_base_leads_nowhere(
    corpora: Path, tmp_path: Path, of: Any
) -> None:
    shutil.copytree(corpora / "embedded-both", tmp_path / "corpus")
    place = tmp_path / "corpus" / "corpus.json"
    document = orjson.loads(place.read_bytes())
    for proxy in document["manifest"]["proxies"]:
        if proxy["name"] == "generate-panoptic":
            proxy["of"] = of
    place.write_bytes(orjson.dumps(document))
    with pytest.raises(sgt_data.SgtDataError):
        open_corpus(str(tmp_path / "corpus"))["generate-panoptic"][0]
    assert not verify_corpus(str(tmp_path / "corpus"), deep=True).sound


@pytest.mark.parametrize("inputs", INPUTS)
def test_subsets_and_their_copies_have_base_and_reverse(
    corpora: Path, tmp_path: Path, inputs: str
) -> None:
    root = corpora / f"{inputs}-both"
    file = sgt_data.subset(str(root), 0.5, file=f"{tmp_path}/half.subset.parquet")
    copy = sgt_data.subset(str(root), 0.5, output=f"{tmp_path}/half", cluster=sgt_data.IN_PROCESS)
    assert verify_corpus(copy.place, deep=True).sound
    for place in (file.place, copy.place):
        for name in NAMES:
            opened = open_corpus(place)
            taken = {sample.key: sample for sample in opened.samples(name)}
            assert taken
            for sample in opened.samples(f"generate-{name}"):
                base = taken.pop(sample.key)
                assert (sample.input, sample.target) == (base.target, base.input)
            assert not taken


@pytest.mark.parametrize("form", ["bagel", "omnigen2"])
def test_an_export_links_both_pictures_to_those_of_the_base(
    corpora: Path, tmp_path: Path, form: Any
) -> None:
    chosen = ["panoptic", "generate-panoptic"]
    report = sgt_data.export_corpus(
        str(corpora / "shared-both"), str(tmp_path / "out"), form, chosen
    )
    samples = list(open_corpus(str(corpora / "shared-both")).samples("generate-panoptic"))
    rows = [
        orjson.loads(line)
        for line in (tmp_path / "out" / "generate-panoptic.jsonl").read_bytes().splitlines()
    ]
    paths = (tmp_path / "out" / "generate-panoptic.txt").read_text().splitlines()
    layout = {"bagel": ("sam_selection", "sam_mask")}.get(
        form, ("train2017", "annotations/panoptic_train2017")
    )
    for sample, row, path in zip(samples, rows, paths, strict=True):
        target = path.replace(*layout).replace("jpg", "png")  # as the released loaders do
        assert Path(path).read_bytes() == sample.input
        assert Path(target).read_bytes() == sample.target
        assert Path(path).stat().st_nlink == 2 == Path(target).stat().st_nlink
        assert sample.instruction in row.values()
        if form == "omnigen2":
            assert (row["input_images"], row["output_image"]) == ([path], target)
    assert report.linked == 2 * len(samples)


def test_a_stream_gives_maps_by_the_nearest_pixel_and_photos_smoothly(corpora: Path) -> None:
    root = str(corpora / "shared-both")
    stream = sgt_data.Stream(
        {root: ["generate-panoptic"]}, batch_size=50, order=sgt_data.Ordering(last="pad")
    )
    stored = {sample.key: sample for sample in open_corpus(root).samples("panoptic")}
    seen = next(iter(stream))["samples"]
    assert {sample.key for sample in seen} == stored.keys()
    for sample in seen:
        assert sample.input == stored[sample.key].target
        assert sample.target == stored[sample.key].input
    sample = seen[0]
    size = SizeRule(min_side=24, max_side=40, multiple_of=8)
    shown = Pictures(size, "numpy")(sample)
    colours = {tuple(colour) for colour in shown["input"].reshape(-1, 3)}
    stated = {tuple(segment["color"]) for segment in stored[sample.key].facts["segments"]}
    assert colours <= stated | {(0, 0, 0)}
    assert len({tuple(colour) for colour in shown["target"].reshape(-1, 3)}) > len(colours)


def test_a_remote_stream_keeps_the_tars_of_base_and_pictures(corpora: Path, tmp_path: Path) -> None:
    here, there = corpora / "shared-both", f"memory://{tmp_path.name}"
    fsspec.filesystem("memory").put(f"{here}/", f"/{tmp_path.name}/", recursive=True)
    corpus = open_corpus(there)
    shard = corpus.shards("generate-panoptic")[0]
    tars = [tar.url for tar in corpus.reader.tars("generate-panoptic", shard)]
    folders = ("input", "panoptic", "generate-panoptic")
    assert tars == [f"{there}/{folder}/{shard}.tar" for folder in folders]

    def contents(root: str, **reading: Any) -> list[Any]:
        stream = sgt_data.Stream(
            {root: ["generate-panoptic"]}, batch_size=4, reading=sgt_data.Reading(**reading)
        )
        batches = [batch["samples"] for batch in stream]
        return [[(each.key, each.input, each.target) for each in batch] for batch in batches]

    assert contents(there, cache=tmp_path / "cache") == contents(str(here))
    fsspec.filesystem("memory").rm(f"/{tmp_path.name}", recursive=True)


def test_views_are_cropped_only_where_the_words_stay_right(corpora: Path) -> None:
    corpus = open_corpus(str(corpora / "shared-both"))
    allowed = {name: allows_crop(corpus[f"generate-{name}"][0].facts) for name in NAMES}
    assert allowed == {name: name not in ("referring", "boxes", "each") for name in NAMES}


def test_plain_webdataset_joins_two_tars(corpora: Path) -> None:
    """As docs/streaming.md says."""
    root = corpora / "embedded-both"
    joined = tars_side_by_side.joined(root, "generate-panoptic", "panoptic")
    for sample in open_corpus(str(root)).samples("generate-panoptic"):
        other = joined.pop(sample.key)
        assert other["input"] == sample.input and other["target"] == sample.target
        assert other["instruction"] == sample.instruction
    assert not joined


def test_a_copy_without_pictures_keeps_the_text_with_its_base(corpora: Path) -> None:
    """Shared: the targets are passed on, and so is the text; the photo is not there. Embedded: the
    base holds pictures, and its reverse goes with it."""
    from sgt_data.corpus.picture_licences import read_licences
    from sgt_data.publish.licences import folders_with_pictures

    left_out = {}
    for inputs in INPUTS:
        corpus = open_corpus(str(corpora / f"{inputs}-both"))
        left_out[inputs] = set(
            folders_with_pictures(corpus.folders, corpus.header.manifest, read_licences(corpus))
        )
    assert "generate-panoptic" not in left_out["shared"]
    assert {"denoise", "generate-denoise", "boxes", "generate-boxes"} <= left_out["shared"]
    assert left_out["embedded"] == {*NAMES, *(f"generate-{name}" for name in NAMES)}


@pytest.mark.parametrize(
    ("proxies", "words"),
    [
        ([REVERSED[0]], "proxies.0.of: found 'panoptic'; the manifest must list"),
        ([proxy_of("panoptic"), {"type": "generate", "of": "panoptik"}], "did you mean panoptic?"),
        ([proxy_of("panoptic"), {"type": "generate"}], "proxies.1.of: must be given"),
        (
            [*BASES[:1], REVERSED[0], {"type": "generate", "of": "generate-panoptic"}],
            "the reverse of a reverse is panoptic",
        ),
        ([{"type": "reconstruction"}, {"type": "generate", "of": "reconstruction"}], "its own"),
        (
            [
                proxy_of("panoptic", sources=["coco"]),
                {"type": "generate", "of": "panoptic", "sources": ["other"]},
            ],
            "panoptic is not drawn for the source other",
        ),
        ([proxy_of("panoptic", direction="generate")], "{type: generate, of: panoptic}"),
    ],
)
def test_mistakes_are_named_with_what_is_right(
    coco: dict[str, Any], proxies: Any, words: str
) -> None:
    sources = [coco | {"name": "coco"}, coco | {"name": "other"}]
    with pytest.raises(ManifestError) as why:
        manifest_of(sources, proxies)
    assert words in str(why.value)


def test_it_is_made_for_the_sources_of_its_base_under_a_name_that_settings_reach(
    coco: dict[str, Any], tmp_path: Path
) -> None:
    sources = [coco | {"name": "coco"}, coco | {"name": "other"}]
    manifest = manifest_of(sources, [proxy_of("panoptic", sources=["coco"]), REVERSED[0]])
    reverse = manifest.proxies[1]
    assert (reverse.name, reverse.sources) == ("generate-panoptic", ("coco",))
    fields = manifest.resolved()
    del fields["proxies"][1]["name"]
    (tmp_path / "m.yaml").write_bytes(orjson.dumps(fields))
    lines = tmp_path / "lines.txt"
    lines.write_text("[train]\nPaint the {map}.\n[held-out]\nShow the {map}.\n")
    told: Manifest = load_manifest(
        tmp_path / "m.yaml", [f"proxies.generate-panoptic.instructions={lines}"]
    )
    assert told.proxies[1].instruction_bank().train == ("Paint the {map}.",)


def test_every_kind_says_what_its_map_is(corpora: Path) -> None:
    """Of all proxies of this package, in words that a line takes up: without article and full
    stop."""
    for name in NAMES:
        base = open_corpus(str(corpora / "shared-both"))[name][0]
        words = proxy_kinds()[base.facts["type"]].map_words(base.facts)
        assert words[0].isalpha() and words[-1] not in ".,;: "
        assert not words.startswith(("a ", "the "))
    legend = open_corpus(str(corpora / "shared-both"))["generate-legend"][0]
    stated = open_corpus(str(corpora / "shared-both"))["legend"][0].facts["legend"]
    for entry in stated["entries"]:
        named = f"{entry['name']} is {colour_text(tuple(entry['color']), 'name')}"
        assert (named in legend.instruction) == entry["present"]
    background = colour_text(tuple(stated["background"]["color"]), "name")
    assert f"all else is {background}" in legend.instruction
