"""COCO files as people have them: what they agree on, ids, sizes, names, categories, truths."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from making import (
    CATEGORIES,
    built,
    check_accounts,
    coco_annotation,
    coco_category,
    coco_document,
    coco_image,
    encoded,
    files_in,
    jpeg,
    ledger_in,
    manifest_of,
    panoptic_png,
    proxy_of,
    samples_in,
    write_coco,
)
from PIL import Image
from pycocotools import mask as coco_mask

import sgt_data
from sgt_data.cli.app import main
from sgt_data.corpus.shard import file_digest
from sgt_data.engine.cluster import IN_PROCESS
from sgt_data.errors import CorpusError, RequestError

SQUARE = [[4.0, 4.0, 40.0, 4.0, 40.0, 30.0, 4.0, 30.0]]
STRIP = [[44.0, 2.0, 60.0, 2.0, 60.0, 46.0, 44.0, 46.0]]
PICTURES = {f"{number:012d}.jpg": jpeg(64, 48, number) for number in (1, 2)}
PROXIES = [proxy_of("instance"), proxy_of("semantic")]


def instances(**more: Any) -> dict[str, Any]:
    annotations = [
        coco_annotation(10 * number + index, number, segmentation, category_id=index)
        for number in (1, 2)
        for index, segmentation in ((1, SQUARE), (2, STRIP))
    ]
    return coco_document([coco_image(1), coco_image(2)], annotations) | more


def panoptic(**more: Any) -> dict[str, Any]:
    annotations = [
        {
            "image_id": number,
            "file_name": f"{number:012d}.png",
            "segments_info": [{"id": 300, "category_id": 5, "iscrowd": 0}],
        }
        for number in (1, 2)
    ]
    return coco_document([coco_image(1), coco_image(2)], annotations) | more


MAPS = {f"{number:012d}.png": panoptic_png(np.full((48, 64), 300)) for number in (1, 2)}


def source_of(root: Path, *kinds: str, **more: Any) -> dict[str, Any]:
    return {"type": "coco", "root": str(root), "annotations": list(kinds or ["instances"])} | more


def build(root: Path, source: dict[str, Any], proxies: Any = None) -> dict[str, dict[str, bytes]]:
    """Samples of the first proxy."""
    proxies = proxies or PROXIES
    report = built(root / "out", source, proxies)
    assert report.complete, report.failures
    check_accounts(root / "out", report)
    return samples_in(root / "out", proxies[0]["name"])


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    root = tmp_path_factory.mktemp("plain")
    return build(root, source_of(write_coco(root / "in", PICTURES, {"instances": instances()})))


def facts_of(files: dict[str, bytes]) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(files["json"])
    return facts


# what two files say of one image id


CONTRADICTIONS: dict[str, tuple[Callable[[dict[str, Any]], Any], tuple[str, ...]]] = {
    "file names": (
        lambda d: [d["images"][0].update(file_name="000000000002.jpg", coco_url=None),
                   d["images"][1].update(file_name="000000000001.jpg", coco_url=None)],
        ("2 of the 2 image ids", "Image id 1: file_name is '000000000001.jpg' in",
         "'000000000002.jpg' in"),
    ),
    "addresses": (
        lambda d: d["images"][1].update(coco_url="http://127.0.0.1/000000000007.jpg"),
        ("1 of the 2 image ids", "Image id 2: coco_url is", "000000000007.jpg"),
    ),
    "sizes": (
        lambda d: d["images"][1].update(width=48, height=64),
        ("1 of the 2 image ids", "Image id 2: width is 64 in", "and 48 in"),
    ),
    "category names": (
        lambda d: d.update(categories=[coco_category(1, "wolf"), coco_category(5, "sky", 0)]),
        ("name of category 1 is 'cat' in", "and 'wolf' in"),
    ),
    "things": (
        lambda d: d.update(categories=[coco_category(1, "cat", 0), coco_category(5, "sky", 0)]),
        ("isthing of category 1 is True in", "and False in"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_files_that_disagree_are_refused_with_both_values_and_both_files(
    tmp_path: Path, name: str
) -> None:
    change, said = CONTRADICTIONS[name]
    second = panoptic()
    change(second)
    documents = {"instances": instances(), "panoptic": second}
    folder = write_coco(tmp_path / "in", PICTURES, documents, MAPS)
    with pytest.raises(RequestError) as refused:
        built(tmp_path / "out", source_of(folder, "instances", "panoptic"), PROXIES)
    message = str(refused.value)
    for text in ("sources.coco.panoptic", "instances_train2017", "panoptic_train2017", *said):
        assert text in message
    assert not (tmp_path / "out").exists()


def test_files_that_say_the_same_in_other_words_are_joined(
    tmp_path: Path, plain: dict[str, dict[str, bytes]]
) -> None:
    """A panoptic file may name the PNG, a folder, no size, and image ids as text."""
    second = panoptic()
    for number, image in enumerate(second["images"], 1):
        image |= {
            "id": str(number), "file_name": f"val/{number:012d}.png", "width": None, "height": -1
        }  # fmt: skip
    documents = {"instances": instances(), "panoptic": second}
    folder = write_coco(tmp_path / "in", PICTURES, documents, MAPS)
    source = source_of(folder, "instances", "panoptic")
    samples = build(tmp_path, source, [proxy_of("instance"), proxy_of("panoptic")])
    assert {key: files["target.png"] for key, files in samples.items()} == {
        key: files["target.png"] for key, files in plain.items()
    }
    assert len(samples_in(tmp_path / "out", "panoptic")) == 2


def test_things_are_told_by_the_file_that_says_so(tmp_path: Path) -> None:
    """COCO's file of instances does not say what is a thing, its panoptic file does."""
    unsaid = [{"id": row["id"], "name": row["name"]} for row in CATEGORIES]
    documents = {"instances": instances(categories=unsaid), "panoptic": panoptic()}
    folder = write_coco(tmp_path / "in", PICTURES, documents, MAPS)
    build(tmp_path, source_of(folder, "instances", "panoptic"))
    header = sgt_data.open_corpus(str(tmp_path / "out")).header
    stated = {category.name: category.isthing for category in header.vocabulary["coco"]}
    assert stated == {"cat": True, "dog": True, "sky": False}


def test_a_panoptic_file_must_say_what_is_a_thing(tmp_path: Path) -> None:
    unsaid = [{"id": row["id"], "name": row["name"]} for row in CATEGORIES]
    folder = write_coco(tmp_path / "in", PICTURES, {"panoptic": panoptic(categories=unsaid)}, MAPS)
    with pytest.raises(RequestError, match=r"categories\[0\]\.isthing is missing"):
        built(tmp_path / "out", source_of(folder, "panoptic"), [proxy_of("panoptic")])


def test_ids_that_several_pictures_use_are_counted_and_cost_nothing(
    tmp_path: Path, plain: dict[str, dict[str, bytes]]
) -> None:
    document = instances()
    for annotation in document["annotations"]:
        annotation["id"] %= 10
    folder = write_coco(tmp_path / "in", PICTURES, {"instances": document})
    report = built(tmp_path / "out", source_of(folder), PROXIES)
    (note,) = report.notes
    assert note.startswith("coco: 2 annotations in ")
    assert note.endswith("with the id of an earlier one")
    samples = samples_in(tmp_path / "out", "instance")
    assert {key: files["target.png"] for key, files in samples.items()} == {
        key: files["target.png"] for key, files in plain.items()
    }


# truth values


@pytest.mark.parametrize("false", [0, 0.0, False, "0", None])
def test_no_crowd_is_no_crowd_however_it_is_written(
    tmp_path: Path, plain: dict[str, dict[str, bytes]], false: Any
) -> None:
    document = instances()
    for annotation in document["annotations"]:
        annotation["iscrowd"] = false
    folder = write_coco(tmp_path / "in", PICTURES, {"instances": document})
    assert build(tmp_path, source_of(folder)) == plain


def test_stuff_is_stuff_however_it_is_written(tmp_path: Path) -> None:
    """An instance proxy on a panoptic source draws things alone."""
    categories = [coco_category(1, "cat"), coco_category(5, "sky") | {"isthing": "0"}]
    folder = write_coco(
        tmp_path / "in", PICTURES, {"panoptic": panoptic(categories=categories)}, MAPS
    )
    report = built(tmp_path / "out", source_of(folder, "panoptic"), [proxy_of("instance")])
    assert report.totals["instance"]["filtered"] == 2


# image ids, sizes and names


FORMS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "ids as text": lambda d: _number_with(d, str),
    "ids as floats": lambda d: _number_with(d, float),
    "ids of images alone as text": lambda d: [row.update(id=str(row["id"])) for row in d["images"]],
    "no sizes": lambda d: [[row.pop("width"), row.pop("height")] for row in d["images"]],
    "sizes of null": lambda d: [row.update(width=None, height=None) for row in d["images"]],
    "NaN for what nobody knows": lambda d: [
        [row.update(width=float("nan"), height=float("nan")) for row in d["images"]],
        [row.update(iscrowd=float("nan")) for row in d["annotations"]],
    ],
    "sizes of -1": lambda d: [row.update(width=-1, height=-1) for row in d["images"]],
    "sizes of 0": lambda d: [row.update(width=0, height=0) for row in d["images"]],
    "sizes as text": lambda d: [row.update(width="64", height="48") for row in d["images"]],
    "categories as text": lambda d: [
        row.update(category_id=str(row["category_id"])) for row in d["annotations"]
    ],
    "info of null": lambda d: d.update(info=None),
    "areas of NaN": lambda d: [
        row.update(area=float("nan"), bbox=[float("inf")] * 4) for row in d["annotations"]
    ],
    "no boxes": lambda d: [[row.pop("area"), row.pop("bbox")] for row in d["annotations"]],
}


def _number_with(document: dict[str, Any], kind: Callable[[int], Any]) -> None:
    for row in document["images"]:
        row["id"] = kind(row["id"])
    for row in document["annotations"]:
        row |= {"image_id": kind(row["image_id"]), "id": kind(row["id"])}


@pytest.mark.parametrize("name", FORMS)
def test_other_forms_of_the_same_facts_give_the_same_bytes(
    tmp_path: Path, plain: dict[str, dict[str, bytes]], name: str
) -> None:
    document = instances()
    FORMS[name](document)
    folder = write_coco(tmp_path / "in", PICTURES, {"instances": document})
    assert build(tmp_path, source_of(folder)) == plain


def test_an_image_without_name_is_named_by_its_id_in_every_form(tmp_path: Path) -> None:
    document = instances()
    document["images"][0] |= {"id": 1.0, "file_name": "", "coco_url": None}
    document["images"][1] |= {"id": "two", "file_name": 5}
    folder = write_coco(tmp_path / "in", PICTURES, {"instances": document})
    assert build(tmp_path, source_of(folder)) == {}
    members = {row["member"] for row in ledger_in(tmp_path / "out", "instance")}
    assert members == {"image id 1", "image id two"}


def test_the_own_size_of_a_picture_is_compared_with_that_of_run_lengths(tmp_path: Path) -> None:
    document = instances()
    document["images"][0] |= {"width": None, "height": None}
    document["annotations"][0]["segmentation"] = {"size": [64, 48], "counts": [64 * 48]}
    folder = write_coco(tmp_path / "in", PICTURES, {"instances": document})
    assert len(build(tmp_path, source_of(folder))) == 2
    (note,) = ledger_in(tmp_path / "out", "instance")
    assert "segmentation.size is [64, 48], the image is [48, 64]" in note["reason"]


def test_polygons_of_a_picture_without_a_stated_size_are_those_of_pycocotools(
    tmp_path: Path,
) -> None:
    document = instances()
    for image in document["images"]:
        image |= {"width": -1, "height": "-1"}
    folder = write_coco(tmp_path / "in", PICTURES, {"instances": document})
    for files in build(tmp_path, source_of(folder)).values():
        decoded = sgt_data.decode(files["target.png"], facts_of(files))
        wanted = {
            coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(polygons, 48, 64))).tobytes()
            for polygons in (SQUARE, STRIP)
        }
        assert {(decoded.labels == label).tobytes() for label in (1, 2)} == wanted


LVIS_PATHS = ("train2017/000000000001.jpg", "val2017/000000000002.jpg")


def lvis() -> dict[str, Any]:
    """COCO without file names, as LVIS is; its pictures lie in two splits of COCO."""
    document = instances()
    for image, path in zip(document["images"], LVIS_PATHS, strict=True):
        del image["file_name"]
        image["coco_url"] = f"http://images.cocodataset.org/{path}"
    return document


def lvis_folder(root: Path) -> Path:
    folder = write_coco(root, {}, {"instances": lvis()})
    (folder / "val2017").mkdir()
    for path, body in zip(LVIS_PATHS, PICTURES.values(), strict=True):
        (folder / path).write_bytes(body)
    return folder


def test_pictures_that_have_an_address_alone_lie_in_the_folders_that_it_names(
    tmp_path: Path, plain: dict[str, dict[str, bytes]]
) -> None:
    folder = lvis_folder(tmp_path / "in")
    assert build(tmp_path, source_of(folder, pictures=str(folder))) == plain


def test_a_folder_of_the_split_is_not_looked_for_within_itself(
    tmp_path: Path, plain: dict[str, dict[str, bytes]]
) -> None:
    """And its zip likewise: a picture of another split is not in it, and is named."""
    folder = lvis_folder(tmp_path / "in")
    key = "coco_000000000001"
    assert build(tmp_path / "a", source_of(folder)) == {key: plain[key]}
    archive = tmp_path / "train2017.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.write(folder / LVIS_PATHS[0], LVIS_PATHS[0])
    (row,) = ledger_in(tmp_path / "a" / "out", "instance")
    assert row["member"] == "000000000002.jpg"
    assert build(tmp_path / "b", source_of(folder, pictures=str(archive))) == {key: plain[key]}


# categories


def numbered(first: int, second: int) -> dict[str, Any]:
    document = instances(categories=[coco_category(first, "cat"), coco_category(second, "dog")])
    for annotation in document["annotations"]:
        annotation["category_id"] = first if annotation["category_id"] == 1 else second
    return document


@pytest.mark.parametrize(("first", "second"), [(0, 1), (7, 100_000), (2**40, 2**41)])
def test_category_ids_of_0_and_large_ones_are_kept_as_they_are(
    tmp_path: Path, first: int, second: int
) -> None:
    """Colours go by the position of the id in the vocabulary: those of COCO's ids 1 and 2."""
    samples = []
    for name, ids in (("given", (first, second)), ("dense", (1, 2))):
        folder = write_coco(tmp_path / name / "in", PICTURES, {"instances": numbered(*ids)})
        proxies = [proxy_of("instance", palette="category"), proxy_of("semantic")]
        build(tmp_path / name, source_of(folder), proxies)
        samples.append({
            proxy: samples_in(tmp_path / name / "out", proxy) for proxy in ("instance", "semantic")
        })  # fmt: skip
    given, dense = samples
    for proxy, by_key in given.items():
        for key, files in by_key.items():
            assert files["target.png"] == dense[proxy][key]["target.png"]
            segments = facts_of(files)["segments"]
            assert {(row["category_id"], row["category"]) for row in segments} == {
                (first, "cat"), (second, "dog"),
            }  # fmt: skip


def test_colours_of_ids_from_1_on_go_by_the_id_whatever_else_is_listed(tmp_path: Path) -> None:
    """As in corpora that were built before ids of 0 were accepted."""
    colours = []
    for name, ids in (("few", (3, 90)), ("many", (3, 200))):
        folder = write_coco(tmp_path / name / "in", PICTURES, {"instances": numbered(*ids)})
        samples = build(tmp_path / name, source_of(folder), [proxy_of("semantic")])
        segments = facts_of(samples["coco_000000000001"])["segments"]
        colours.append({row["category_id"]: row["color"] for row in segments})
    assert colours[0][3] == colours[1][3]
    assert colours[0][90] != colours[1][200]


def test_two_categories_of_one_name_stay_two(tmp_path: Path) -> None:
    document = instances(categories=[coco_category(1, "cat"), coco_category(2, "cat")])
    folder = write_coco(tmp_path / "in", PICTURES, {"instances": document})
    samples = build(tmp_path, source_of(folder), [proxy_of("semantic"), proxy_of("instance")])
    for files in samples.values():
        rows = facts_of(files)["segments"]
        assert sorted((row["category_id"], row["category"]) for row in rows) == [
            (1, "cat"), (2, "cat"),
        ]  # fmt: skip
        assert len({tuple(row["color"]) for row in rows}) == 2


# what names its likely cause


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([{"segmentation": {}, "predicted_iou": 1}], "the masks that SAM gives"),
        ([{"image_id": 1, "category_id": 1, "bbox": [], "score": 1}], "results of a model"),
        ({"shapes": [], "imagePath": "a.jpg"}, "LabelMe"),
        ({"image": {}, "annotations": []}, "SA-1B"),
        ({"annotations": [], "categories": []}, "it has no images"),
        ({"images": [], "categories": []}, "it has no annotations"),
        ({"images": [], "annotations": [], "categories": None}, "its categories is null"),
        ({"images": [{"file_name": "a.jpg"}], "annotations": [], "categories": []},
         "images[0].id is missing"),
        ({"images": [5], "annotations": [], "categories": []}, "images[0] is 5, not an object"),
        ({"images": [], "annotations": [{"id": 1}], "categories": []},
         "annotations[0].image_id is missing"),
        ({"images": [], "annotations": [], "categories": [{"id": 1, "name": None}]},
         "categories[0].name is null"),
        (b'{"images": [],\n"annotations": [],}', "line 2, column 18"),
    ],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
def test_a_file_that_is_no_coco_file_is_refused_in_words(
    tmp_path: Path, document: Any, said: str
) -> None:
    folder = write_coco(tmp_path / "in", PICTURES, {"instances": document})
    with pytest.raises(RequestError) as refused:
        built(tmp_path / "out", source_of(folder), PROXIES)
    message = str(refused.value)
    assert message.startswith("sources.coco.instances: ")
    assert "instances_train2017.json" in message
    assert said in message
    assert "Error" not in message


# pixel maps that tools saved anew


def test_panoptic_maps_saved_anew_give_the_same_targets(tmp_path: Path) -> None:
    ids = np.zeros((48, 64), np.int64)
    ids[:, :20], ids[10:30, 20:50] = 200, 7
    document = panoptic()
    for annotation in document["annotations"]:
        annotation["segments_info"] = [
            {"id": 200, "category_id": 5, "iscrowd": 0}, {"id": 7, "category_id": 1, "iscrowd": 0},
        ]  # fmt: skip
    original = Image.fromarray(np.stack((ids, ids * 0, ids * 0), -1).astype(np.uint8))
    forms = {
        "RGB": original,
        "RGBA": original.convert("RGBA"),
        "grey": original.getchannel(0),
        "palette": original.quantize(8),
    }
    bodies = {}
    for name, image in forms.items():
        maps = dict.fromkeys(MAPS, encoded(image, "PNG"))
        folder = write_coco(tmp_path / name / "in", PICTURES, {"panoptic": document}, maps)
        bodies[name] = build(tmp_path / name, source_of(folder, "panoptic"), [proxy_of("panoptic")])
    assert len(bodies["RGB"]) == 2
    assert all(samples == bodies["RGB"] for samples in bodies.values())


# licences


@pytest.mark.parametrize(
    ("licences", "stated", "name"),
    [
        ([{"id": 4, "name": "CC BY", "url": "http://a"}], 4, "CC BY"),
        ([{"id": "4", "name": "CC BY"}], 4, "CC BY"),
        ([{"id": 0, "name": "", "url": "http://a"}], 0, "http://a"),
        ([{"id": 0, "name": "", "url": ""}], 0, None),
        ([{"id": 0, "name": "None", "url": "None"}], "None", None),
        ([{"name": "CC BY"}], 4, "COCO licence id 4"),
        ([{"id": 4, "name": "CC BY"}], float("nan"), None),
        (None, 4, "COCO licence id 4"),
        (5, None, None),
    ],
)
def test_licences_in_any_form_sink_no_file(
    tmp_path: Path, licences: Any, stated: Any, name: str | None
) -> None:
    document = instances(licenses=licences)
    for image in document["images"]:
        image["license"] = stated
    folder = write_coco(tmp_path / "in", PICTURES, {"instances": document})
    samples = build(tmp_path, source_of(folder))
    stated = [facts_of(files)["source"]["licence"] for files in samples.values()]
    assert stated == [name or ""] * 2


# notes on samples


def noted(root: Path) -> Path:
    """A corpus of which each picture has one annotation without a mask."""
    document = instances()
    for number in (1, 2):
        document["annotations"].append(coco_annotation(90 + number, number, []))
    folder = write_coco(root / "in", PICTURES, {"instances": document})
    build(root, source_of(folder), [proxy_of("instance"), proxy_of("semantic")])
    return root / "out"


def test_notes_are_counted_and_change_no_account(
    tmp_path: Path, plain: dict[str, dict[str, bytes]], capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = noted(tmp_path)
    assert samples_in(corpus, "instance") == plain
    assert sgt_data.verify_corpus(str(corpus), deep=True).sound
    totals = sgt_data.open_corpus(str(corpus)).header.totals["instance"]
    assert (totals["inputs"], totals["samples"], totals["notes"]) == (2, 2, 2)
    with pytest.raises(SystemExit):
        main(["info", str(corpus)])
    assert "notes" in capsys.readouterr().out


def test_verify_names_a_note_on_what_is_no_sample(tmp_path: Path) -> None:
    corpus = noted(tmp_path)
    (ledger,) = (corpus / "quarantine" / "instance").glob("*.jsonl")
    (receipt,) = (corpus / "receipts" / "instance").glob("*.json")
    body = ledger.read_bytes().replace(b'"coco_000000000001"', b'"coco_000000000007"')
    ledger.write_bytes(body)
    stated = json.loads(receipt.read_bytes())
    stated["quarantine"] = file_digest(body)
    stated["notes"] = 5
    receipt.write_bytes(json.dumps(stated).encode())
    findings = "\n".join(map(str, sgt_data.verify_corpus(str(corpus)).findings))
    assert "a note on coco_000000000007, which is no sample" in findings
    assert "rows that are note: 2; the receipt says 5" in findings


@pytest.mark.parametrize("copied", [False, True])
def test_a_subset_has_the_notes_on_its_samples(tmp_path: Path, copied: bool) -> None:
    corpus = noted(tmp_path)
    place = f"{tmp_path}/half.subset.parquet"
    if copied:
        place = f"{tmp_path}/half"
        sgt_data.subset(str(corpus), 0.5, output=place, cluster=IN_PROCESS)
    else:
        sgt_data.subset(str(corpus), 0.5, file=place)
    totals = sgt_data.open_corpus(place).header.totals["instance"]
    assert (totals["samples"], totals["notes"]) == (1, 1)
    assert sgt_data.verify_corpus(place).sound


@pytest.mark.parametrize("isthing", ["0", 0, None])
def test_truth_values_of_a_corpus_are_truth_values(tmp_path: Path, isthing: Any) -> None:
    corpus = noted(tmp_path)
    document = json.loads((corpus / "corpus.json").read_bytes())
    document["vocabulary"]["coco"][0]["isthing"] = isthing
    (corpus / "corpus.json").write_text(json.dumps(document))
    with pytest.raises(CorpusError, match="isthing of a category is"):
        sgt_data.open_corpus(str(corpus))


def test_truth_values_of_a_subset_file_are_truth_values(tmp_path: Path) -> None:
    """ "0" would be true: a subset of single samples would be taken for one of whole shards."""
    corpus, place = noted(tmp_path), f"{tmp_path}/half.subset.parquet"
    sgt_data.subset(str(corpus), 0.5, file=place)
    table, metadata = pq.read_table(place), pq.read_metadata(place).metadata
    (name,) = (key for key in metadata if not key.startswith(b"ARROW"))
    document = json.loads(metadata[name])
    document["rule"]["whole"] = "0"
    pq.write_table(table.replace_schema_metadata({name: json.dumps(document)}), place)
    with pytest.raises(CorpusError, match=r"rule\.whole is '0', neither true nor false"):
        sgt_data.open_corpus(place)


def test_corpora_from_before_the_field_are_continued_with_quarantine(tmp_path: Path) -> None:
    """The identity of such a corpus does not speak of `bad_annotations`."""
    folder = write_coco(tmp_path / "in", PICTURES, {"instances": instances()})
    source = source_of(folder)
    identity = manifest_of(source | {"bad_annotations": "quarantine"}, PROXIES).identity()
    assert "bad_annotations" not in identity["sources"]["coco"]
    dropping = manifest_of(source, PROXIES).identity()
    assert dropping["sources"]["coco"].pop("bad_annotations") == "drop"
    assert dropping == identity


def test_receipts_of_sound_pictures_do_not_speak_of_notes(tmp_path: Path) -> None:
    folder = write_coco(tmp_path / "in", PICTURES, {"instances": instances()})
    build(tmp_path, source_of(folder))
    for name, body in files_in(tmp_path / "out").items():
        if name.startswith(("receipts/", "corpus.json")):
            assert b'"notes"' not in body


@pytest.mark.parametrize("name", ["images", "annotations", "categories"])
def test_a_list_that_is_given_twice_is_refused(tmp_path: Path, name: str) -> None:
    root = write_coco(tmp_path / "in", PICTURES, {"instances": instances()})
    place = root / "annotations" / "instances_train2017.json"
    whole = place.read_text()
    place.write_text(f'{{"{name}": [], {whole[1:]}')
    with pytest.raises(RequestError, match=f"instances_train2017.json .*the list {name} twice"):
        built(tmp_path / "out", source_of(root), PROXIES)


def test_the_names_of_lists_may_come_again_within_the_document(tmp_path: Path) -> None:
    root = write_coco(tmp_path / "in", PICTURES, {"instances": instances(info={"images": 2})})
    assert built(tmp_path / "out", source_of(root), PROXIES).complete
