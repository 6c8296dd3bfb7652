"""What a page is told of a corpus: filters, counts, distributions, rejected inputs, samples."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from viewed import build_viewed

from sgt_data import Corpus, Sample, decode, export_corpus, open_corpus, subset
from sgt_data.corpus.header import read_header, write_header
from sgt_data.errors import CorpusError, RequestError, SgtDataError
from sgt_data.subsets.subset_headers import header_without
from sgt_data.view import distributions
from sgt_data.view.answers import Answers
from sgt_data.view.collection import Place
from sgt_data.view.histograms import histogram
from sgt_data.view.open_collection import open_collection
from sgt_data.view.query import Query, parse_query

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="module")
def corpus(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return build_viewed(sample_sources, tmp_path_factory.mktemp("viewed") / "corpus")


@pytest.fixture
def answers(corpus: str) -> Answers:
    return Answers(open_collection(corpus))


ALL = Query()


def all_keys(answers: Answers, proxy: str, query: Query = ALL) -> list[str]:
    """Keys of every page; asked again until the answer is final, as the page does."""
    keys: list[str] = []
    while True:
        answer = answers.samples(proxy, replace(query, page=len(keys) // 24), 0.05)
        if not answer["final"]:
            continue
        keys += [item["key"] for item in answer["items"]]
        if len(keys) >= answer["matches"]:
            assert len(keys) == answer["matches"]
            return keys


def index_of(corpus: str, proxy: str) -> list[dict[str, Any]]:
    """Rows of the index in corpus order, read without our reader."""
    places = sorted(Path(corpus, "index", proxy).glob("*.parquet"))
    return [row for place in places for row in pq.read_table(place).to_pylist()]


def test_pages_hold_every_sample_once_in_the_order_of_the_corpus(
    corpus: str, answers: Answers
) -> None:
    expected = [sample.key for sample in open_corpus(corpus).samples("edge")]
    assert all_keys(answers, "edge") == expected
    assert len(expected) == 24


QUERIES: list[tuple[str, Query, Callable[[dict[str, Any], Sample], bool]]] = [
    ("edge", Query(sources=("coco",)), lambda row, _: row["source"] == "coco"),
    ("panoptic", Query(categories=("sky",)), lambda row, _: "sky" in row["categories"]),
    (
        "panoptic",
        Query(categories=("sky", "tree")),
        lambda row, _: {"sky", "tree"} <= set(row["categories"]),
    ),
    ("entity", Query(least=12), lambda row, _: row["segments"] >= 12),
    ("entity", Query(least=5, most=11), lambda row, _: 5 <= row["segments"] <= 11),
    ("edge", Query(text="A1B_", text_in="key"), lambda row, _: "a1b_" in row["key"].lower()),
    ("edge", Query(text="EDGE"), lambda _, sample: "edge" in sample.instruction.lower()),
    (
        "entity",
        Query(text="colo", sources=("sa1b",), order="most"),
        lambda row, sample: row["source"] == "sa1b" and "colo" in sample.instruction.lower(),
    ),
    ("edge", Query(sources=("elsewhere",)), lambda *_: False),
]


@pytest.mark.parametrize(("proxy", "query", "takes"), QUERIES)
def test_a_filter_takes_the_samples_that_reading_all_of_them_takes(
    corpus: str, answers: Answers, proxy: str, query: Query, takes: Callable[..., bool]
) -> None:
    rows = {row["key"]: row for row in index_of(corpus, proxy)}
    samples = open_corpus(corpus).samples(proxy)
    expected = {sample.key for sample in samples if takes(rows[sample.key], sample)}
    assert set(all_keys(answers, proxy, query)) == expected


def test_every_category_is_a_filter(corpus: str, answers: Answers) -> None:
    rows = index_of(corpus, "panoptic")
    for name in {name for row in rows for name in row["categories"]}:
        expected = [row["key"] for row in rows if name in row["categories"]]
        assert all_keys(answers, "panoptic", Query(categories=(name,))) == expected, name


def test_orders_hold_the_same_samples(corpus: str, answers: Answers) -> None:
    segments = {row["key"]: row["segments"] for row in index_of(corpus, "entity")}
    most = all_keys(answers, "entity", Query(order="most"))
    assert [segments[key] for key in most] == sorted(segments.values(), reverse=True)
    shuffled = all_keys(answers, "entity", Query(order="shuffled"))
    assert shuffled != list(segments) and sorted(shuffled) == sorted(segments)


def test_counts_are_those_of_the_index(corpus: str, answers: Answers) -> None:
    rows = index_of(corpus, "panoptic")
    counts = answers.counts("panoptic", Query(categories=("sky",)), 60)
    assert counts["complete"]
    with_sky = [row for row in rows if "sky" in row["categories"]]
    expected = Counter(name for row in with_sky for name in row["categories"])
    assert dict(counts["category"]["counts"]) == expected
    other = answers.counts("edge", Query(sources=("coco",)), 60)
    assert dict(other["source"]["counts"]) == {"coco": 12, "sa1b": 12}, "one more can be chosen"
    assert other["matches"] == 12


def test_an_unfiltered_page_reads_the_indexes_of_its_own_shards_alone(
    corpus: str, tmp_path: Path
) -> None:
    root = tmp_path / "last-shard-alone"
    shutil.copytree(corpus, root)
    opened = open_corpus(str(root))
    last = opened.shards("edge")[-1]
    for shard in opened.shards("edge")[:-1]:
        (root / "index" / "edge" / f"{shard}.parquet").unlink()
    answers = Answers(open_collection(str(root)))
    counts = opened.samples_per_shard("edge")
    query = Query(page=0)
    table = answers.collection.table("edge")
    table.counts = (24, *([0] * (len(counts) - 2)), counts[-1])  # the last shard is page 1
    items = answers.samples("edge", replace(query, page=1), 0)["items"]
    assert {item["shard"] for item in items} == {last} and len(items) == counts[-1]
    assert table.problems == []


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"order": ["random"]}, "order"),
        ({"in": ["title"]}, "in"),
        ({"least": ["-3"]}, "least"),
        ({"page": ["1e9"]}, "page"),
        ({"text": ["x" * 201]}, "text"),
        ({"category": [str(n) for n in range(101)]}, "category"),
    ],
)
def test_a_wrong_field_of_an_address_is_refused_by_name(
    fields: dict[str, list[str]], name: str
) -> None:
    with pytest.raises(RequestError, match=f"^{name}: "):
        parse_query(fields)


# --- one sample


def test_a_sample_states_what_its_target_decodes_to(corpus: str, answers: Answers) -> None:
    sample = next(open_corpus(corpus).samples("panoptic"))
    document = answers.sample(Place("panoptic", sample.shard, sample.key))
    decoded = decode(sample.target, sample.facts)
    areas = np.bincount(decoded.labels.ravel(), minlength=len(decoded.segments) + 1)[1:]
    assert [segment["area"] for segment in document["segments"]] == areas.tolist()
    assert document["instruction"] == sample.instruction
    for member in ("input", "target"):
        assert answers.picture(Place("panoptic", sample.shard, sample.key), member) == getattr(
            sample, member
        )


def test_the_same_key_is_named_in_every_proxy_that_has_it(corpus: str, answers: Answers) -> None:
    opened = open_corpus(corpus)
    held = {proxy: {sample.key for sample in opened.samples(proxy)} for proxy in opened.proxies}
    for row in index_of(corpus, "edge"):
        shard = next(s for s in opened.shards("edge") if row["key"] in index_keys(opened, s))
        holders = answers.sample(Place("edge", shard, row["key"]))["holders"]
        assert {own["proxy"] for own in holders if own["holds"]} == {
            proxy for proxy, keys in held.items() if row["key"] in keys
        }


def index_keys(corpus: Corpus, shard: str) -> list[str]:
    keys: list[str] = corpus.index("edge", shard)["key"].to_pylist()
    return keys


@pytest.mark.parametrize(
    "place",
    [
        Place("edge", "coco-train2017-00000", "no_such_key"),
        Place("edge", "../edge/coco-train2017-00000", "coco_000000000001"),
        Place("no-such-proxy", "coco-train2017-00000", "coco_000000000001"),
        Place("../..", "x", "y"),
        Place("input", "coco-train2017-00000", "coco_000000000001"),
    ],
)
def test_a_place_that_the_corpus_does_not_list_is_refused(answers: Answers, place: Place) -> None:
    with pytest.raises(RequestError):
        answers.picture(place, "target")


def test_the_facts_of_old_corpora_are_shown(tmp_path: Path) -> None:
    for name in ("embedded", "shared"):
        with tarfile.open(DATA / f"corpus-1.0-{name}.tar.xz") as archive:
            archive.extractall(tmp_path, filter="data")
        answers = Answers(open_collection(str(tmp_path / name)))
        for proxy in answers.collection.proxies:
            for item in answers.samples(proxy, Query(), 0)["items"]:
                place = Place(proxy, item["shard"], item["key"])
                document = answers.sample(place)
                assert len(document["segments"]) == item["segments"]
                assert answers.picture(place, "input").startswith(b"\xff\xd8")


# --- distributions and rejected inputs


def test_distributions_are_those_of_the_decoded_targets(corpus: str, answers: Answers) -> None:
    charts = {chart["name"]: chart for chart in answers.all_distributions("panoptic")["charts"]}
    shares, covered = [], []
    for sample in open_corpus(corpus).samples("panoptic"):
        labels = decode(sample.target, sample.facts).labels
        areas = np.bincount(labels.ravel())[1:]
        shares += (100 * areas[areas > 0] / labels.size).tolist()
        covered.append(100 * np.count_nonzero(labels) / labels.size)
    assert charts["area"]["n"] == len(shares)
    assert charts["area"]["median"] == pytest.approx(np.median(shares))
    assert charts["coverage"]["min"] == pytest.approx(min(covered))
    assert sum(count for _, _, count in charts["area"]["bins"]) == len(shares)
    strengths = [
        100 * np.asarray(Image.open(io.BytesIO(sample.target)).convert("L")).mean() / 255
        for sample in open_corpus(corpus).samples("edge")
    ]
    edges = {chart["name"]: chart for chart in answers.all_distributions("edge")["charts"]}["edges"]
    assert edges["max"] == pytest.approx(max(strengths))


def test_a_part_of_a_large_corpus_is_measured_and_said_to_be_one(
    corpus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distributions, "SAMPLED_MAX", 6)
    monkeypatch.setattr(distributions, "SHARDS_MAX", 2)
    first, again, other = (
        Answers(open_collection(corpus), seed).all_distributions("edge") for seed in (0, 0, 1)
    )
    assert first == again != other
    charts = {chart["name"]: chart for chart in first["charts"]}
    assert 0 < first["sampled"] <= 6 and first["shards"] == 2
    assert charts["edges"]["samples"] == first["sampled"] and first["of"] == 24
    assert charts["aspect"]["samples"] == 24


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("logarithmic", [True, False])
def test_every_value_is_in_one_range_of_a_histogram(whole: bool, logarithmic: bool) -> None:
    rng = np.random.default_rng(5)
    for scale in (0.001, 1, 40, 1e6):
        values = np.abs(rng.normal(0, scale, 500))
        values[:3] = 0
        if whole:
            values = np.floor(values)
        chart = histogram(values, whole=whole, logarithmic=logarithmic and not whole)
        bins = chart["bins"]
        assert sum(count for _, _, count in bins) == 500
        assert bins[0][0] <= values.min() and bins[-1][1] >= values.max()
        assert all(low <= high for low, high, _ in bins)
        assert len(bins) <= 80
    assert histogram(np.array([7.0]))["bins"], "a single value has a range too"
    assert histogram(np.array([]))["bins"] == []


def test_rejected_inputs_are_counted_by_reason_with_examples(corpus: str, answers: Answers) -> None:
    answers.collection.ledgers().work.finish()
    reasons = answers.reasons(0)
    assert reasons["complete"]
    opened = open_corpus(corpus)
    filtered = sum(totals["filtered"] for totals in opened.header.totals.values())
    assert filtered, "the sample world leaves some out"
    rows = sum(sum(group["rows"].values()) for group in reasons["groups"])
    noted = sum(totals.get("notes", 0) for totals in opened.header.totals.values())
    assert rows == filtered + noted
    group = reasons["groups"][0]
    shown = answers.rejected(group["kind"], group["reason"], "", 0)
    assert shown["rows"] == sum(group["rows"].values())
    for item in shown["items"]:
        assert item["reason"] and item["member"]
        assert answers.picture(Place(**item["picture"]), "input").startswith(b"\xff\xd8")


def test_a_ledger_that_is_none_is_named_and_the_others_are_shown(
    corpus: str, tmp_path: Path
) -> None:
    root = shutil.copytree(corpus, tmp_path / "damaged")
    ledgers = [path for path in (root / "quarantine").rglob("*.jsonl") if path.stat().st_size]
    rows = ledgers[0].read_bytes().splitlines()
    ledgers[0].write_bytes(b"\n".join([*rows, b'{"kind": "damaged", "key": "x"}']) + b"\n")
    answers = Answers(open_collection(str(root)))
    answers.collection.ledgers().work.finish()
    reasons = answers.reasons(0)
    (problem,) = reasons["problems"]
    assert f"line {len(rows) + 1} has no text in the field source" in problem
    told = sum(sum(group["rows"].values()) for group in reasons["groups"])
    others = sum(len(path.read_bytes().splitlines()) for path in ledgers[1:])
    assert told == others > 0


def test_a_chart_counts_the_samples_that_could_be_read(corpus: str, tmp_path: Path) -> None:
    root = shutil.copytree(corpus, tmp_path / "damaged")
    lost = sorted((root / "index" / "edge").glob("*"))[2]
    left = 24 - pq.read_metadata(lost).num_rows
    lost.write_bytes(b"PAR1 no index")
    answers = Answers(open_collection(str(root)))
    charts = answers.all_distributions("edge")
    assert charts["of"] == 24 and charts["complete"]
    assert {chart["samples"] for chart in charts["charts"]} == {left}
    counts = answers.all_counts("edge")
    assert (counts["counted"], counts["of"]) == (left, 24)


# --- subsets, exports, copies, damage


def test_a_subset_file_shows_its_own_keys_alone(corpus: str, tmp_path: Path) -> None:
    place = str(Path(corpus).parent / "part.subset.parquet")
    subset(corpus, 0.25, file=place)
    answers = Answers(open_collection(place))
    assert answers.overview()["kind"] == "subset"
    part = open_corpus(place)
    for proxy in part.proxies:
        assert all_keys(answers, proxy) == [sample.key for sample in part.samples(proxy)]
    outside = next(
        sample for sample in open_corpus(corpus).samples("edge")
        if sample.key not in all_keys(answers, "edge")
    )  # fmt: skip
    with pytest.raises(RequestError):
        answers.picture(Place("edge", outside.shard, outside.key), "target")
    answers.collection.ledgers().work.finish()
    keys = {row["key"] for group in answers.collection.ledgers().groups() for row in group.examples}
    assert keys <= {sample.key for proxy in ("edge", "boxes") for sample in part.samples(proxy)}


@pytest.mark.parametrize("form", ["bagel", "omnigen2", "folders"])
def test_an_export_is_shown_as_the_corpus_it_is_of(corpus: str, tmp_path: Path, form: Any) -> None:
    export_corpus(corpus, str(tmp_path / "first"), form, ["panoptic", "denoise"])
    shutil.move(tmp_path / "first", tmp_path / "moved")  # lists of OmniGen2 hold absolute paths
    answers = Answers(open_collection(str(tmp_path / "moved")))
    assert answers.overview()["kind"] == "export"
    for proxy in ("panoptic", "denoise"):
        items = answers.samples(proxy, Query(), 0)["items"]
        samples = list(open_corpus(corpus).samples(proxy))
        assert [item["instruction"] for item in items] == [s.instruction for s in samples]
        for sample in samples[:3]:
            place = Place(proxy, items[0]["shard"], sample.key)
            assert answers.picture(place, "input") == sample.input
            assert answers.picture(place, "target") == sample.target
    word = items[0]["instruction"].split()[0]
    matches = all_keys(answers, "denoise", Query(text=word))
    assert matches == [s.key for s in samples if word.lower() in s.instruction.lower()]


def test_a_list_that_leads_out_of_its_export_is_not_followed(corpus: str, tmp_path: Path) -> None:
    export_corpus(corpus, str(tmp_path / "out"), "omnigen2", ["panoptic"])
    listed = tmp_path / "out" / "panoptic.jsonl"
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"\xff\xd8 secret")
    for image in (f"{secret}", "../../secret.jpg", "/etc/passwd"):
        listed.write_text(f'{{"instruction": "x", "input_images": ["{image}"]}}\n')
        with pytest.raises(SgtDataError) as refusal:
            answers = Answers(open_collection(str(tmp_path / "out")))
            answers.overview()
            answers.picture(Place("panoptic", "list", "secret"), "input")
        told = str(refusal.value)
        assert "out/panoptic/train2017/secret.jpg" in told or "it names the picture" in told


@pytest.fixture(scope="module")
def shared(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A corpus that holds its input pictures once, apart from the targets."""
    place = tmp_path_factory.mktemp("shared") / "corpus"
    return build_viewed(sample_sources, place, inputs="shared")


def test_all_bytes_of_tars_are_told_with_those_of_shared_inputs(shared: str, corpus: str) -> None:
    for root in (shared, corpus):
        overview = Answers(open_collection(root)).overview()
        told = {proxy["name"]: proxy["totals"]["bytes"] for proxy in overview["proxies"]}
        if overview["inputs"] is not None:
            told["input"] = overview["inputs"]["bytes"]
        on_disk: Counter[str] = Counter()
        for tar in Path(root).rglob("*.tar"):
            on_disk[tar.parent.name] += tar.stat().st_size
        assert told == on_disk
        assert ("input" in told) == (root == shared)


def test_an_input_that_a_copy_lacks_is_said_to_be_left_out(shared: str, tmp_path: Path) -> None:
    root = str(shutil.copytree(shared, tmp_path / "corpus"))
    whole = Answers(open_collection(root))
    item = whole.samples("edge", Query(), 0)["items"][0]
    place = Place("edge", item["shard"], item["key"])
    assert whole.picture(place, "input").startswith(b"\xff\xd8")
    assert whole.sample(place)["missing_input"] == ""
    header = read_header(root)
    assert header is not None
    shutil.rmtree(tmp_path / "corpus" / "input")
    write_header(root, header_without(header, ["input", "denoise"]))
    copy = Answers(open_collection(root))
    assert "denoise" not in copy.collection.proxies
    assert "licence" in copy.sample(place)["missing_input"]
    assert any("input" in note for note in copy.overview()["notes"])
    assert copy.picture(place, "target") == whole.picture(place, "target")
    with pytest.raises(RequestError, match="has no input"):
        copy.picture(place, "input")


def test_damage_costs_the_card_or_the_shard_that_it_is_in(corpus: str, tmp_path: Path) -> None:
    root = tmp_path / "damaged"
    shutil.copytree(corpus, root)
    rows = pq.read_table(next(iter(sorted((root / "index" / "edge").glob("*"))))).to_pylist()
    tar = next(iter(sorted((root / "edge").glob("*.tar"))))
    data = bytearray(tar.read_bytes())
    data[rows[0]["instruction_offset"]] ^= 1
    tar.write_bytes(bytes(data))
    lost = sorted((root / "index" / "edge").glob("*"))[2]
    left = 24 - pq.read_metadata(lost).num_rows
    lost.write_bytes(b"PAR1 no index")
    answers = Answers(open_collection(str(root)))
    answer = answers.samples("edge", Query(order="shuffled"), 60)
    assert answer["final"] and answer["matches"] == left and answer["of"] == 24
    assert any("is not shown" in problem for problem in answer["problems"])
    broken = [item for item in answer["items"] if item.get("problem")]
    assert [item["key"] for item in broken] == [rows[0]["key"]]
    searched = answers.samples("edge", Query(text="e"), 60)
    assert any("1 instructions could not be read" in text for text in searched["problems"])


def test_a_corpus_is_shown_while_it_is_built(corpus: str, tmp_path: Path) -> None:
    root = tmp_path / "half"
    shutil.copytree(corpus, root)
    header = read_header(str(root))
    assert header is not None
    nothing: dict[str, Any] = {
        "shards": {}, "samples": {}, "totals": {}, "source_totals": {},
    }  # fmt: skip
    write_header(str(root), replace(header, complete=False, **nothing))
    receipts = sorted((root / "receipts" / "edge").glob("*.json"))
    receipts[0].unlink()
    answers = Answers(open_collection(str(root)))
    overview = answers.overview()
    assert not overview["complete"] and any("not complete" in note for note in overview["notes"])
    keys = all_keys(answers, "edge")
    lost = index_of(corpus, "edge")[: 24 - len(keys)]
    assert lost and not {row["key"] for row in lost} & set(keys)
    edge = next(proxy for proxy in overview["proxies"] if proxy["name"] == "edge")
    assert edge["totals"]["samples"] == len(keys)


def test_a_header_that_contradicts_itself_is_refused(corpus: str, tmp_path: Path) -> None:
    for field in ("samples", "shards"):
        root = tmp_path / field
        shutil.copytree(corpus, root)
        header = read_header(str(root))
        assert header is not None
        listed = dict(getattr(header, field))
        listed["edge"] = listed["edge"][:-1]
        write_header(str(root), replace(header, **{field: listed}))
        with pytest.raises(CorpusError, match="shards of edge, and"):
            Answers(open_collection(str(root))).samples("edge", Query(), 0)


def test_nothing_to_show_is_a_clear_refusal(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"neither a corpus .* nor an export"):
        open_collection(str(tmp_path))
    (tmp_path / "export.json").write_text('{"format": "other", "corpus": "c", "fingerprints": {}}')
    with pytest.raises(RequestError, match=r"'other'.*bagel, omnigen2"):
        open_collection(str(tmp_path))
