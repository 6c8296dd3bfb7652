"""Broken COCO files cost exactly themselves: the rest is written with the same bytes as ever."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from making import (
    boxes,
    built,
    check_accounts,
    coco_annotation,
    coco_document,
    coco_image,
    dropped,
    encoded,
    files_in,
    jpeg,
    ledger_in,
    panoptic_png,
    proxy_of,
    run_lengths,
    samples_in,
    shown,
    spoiled,
    write_coco,
)
from PIL import Image

from sgt_data.errors import RequestError
from sgt_data.verify.check_corpus import verify_corpus

Samples = dict[str, dict[str, bytes]]

IMAGES = 6
COCO_KEYS = [f"coco_{number:012d}" for number in range(1, IMAGES + 1)]
PICTURES = {f"{number:012d}.jpg": jpeg(64, 48, number) for number in range(1, IMAGES + 1)}
SQUARE = [[4.0, 4.0, 40.0, 4.0, 40.0, 30.0, 4.0, 30.0]]


def instances(**more: Any) -> dict[str, Any]:
    """A sound instances document: a polygon and a mask for each picture."""
    annotations = []
    for number in range(1, IMAGES + 1):
        mask = boxes(64, 48, 1, seed=number)[0]
        annotations += [
            coco_annotation(10 * number, number, SQUARE),
            coco_annotation(10 * number + 1, number, run_lengths(mask), category_id=2),
        ]
    images = [coco_image(number) for number in range(1, IMAGES + 1)]
    return coco_document(images, annotations) | more


def id_map(number: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    ids = np.zeros((48, 64), np.int64)
    ids[5:30, 5:30], ids[20:, 20:] = 300 + number, 70_000 + number
    return ids


def panoptic() -> tuple[dict[str, Any], dict[str, bytes]]:
    """A sound panoptic document and its maps."""
    annotations = [
        {
            "image_id": number,
            "file_name": f"{number:012d}.png",
            "segments_info": [
                {"id": 300 + number, "category_id": 1, "iscrowd": 0, "area": 1, "bbox": []},
                {"id": 70_000 + number, "category_id": 5, "iscrowd": 0, "area": 1, "bbox": []},
            ],
        }
        for number in range(1, IMAGES + 1)
    ]
    images = [coco_image(number) for number in range(1, IMAGES + 1)]
    maps = {f"{number:012d}.png": panoptic_png(id_map(number)) for number in range(1, IMAGES + 1)}
    return coco_document(images, annotations), maps


def coco_source(root: Path, *kinds: str, **more: Any) -> dict[str, Any]:
    return {"type": "coco", "root": str(root), "annotations": list(kinds)} | more


INSTANCE = [proxy_of("instance"), proxy_of("semantic")]
PANOPTIC = [proxy_of("panoptic")]


def build_coco(
    root: Path, source: dict[str, Any], proxies: list[dict[str, Any]]
) -> tuple[Samples, list[dict[str, Any]]]:
    """Samples and ledger of the first proxy."""
    report = built(root / "out", source, proxies)
    assert report.complete, report.failures
    check_accounts(root / "out", report)
    name = proxies[0]["name"]
    return samples_in(root / "out", name), ledger_in(root / "out", name)


@pytest.fixture(scope="module")
def whole_coco(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Samples]:
    root = tmp_path_factory.mktemp("coco")
    document, maps = panoptic()
    folder = write_coco(
        root / "in", PICTURES, {"instances": instances(), "panoptic": document}, maps
    )
    return {
        "instances": build_coco(root, coco_source(folder, "instances"), INSTANCE)[0],
        "panoptic": build_coco(root / "p", coco_source(folder, "panoptic"), PANOPTIC)[0],
    }


def check_coco_lost(
    samples_and_ledger: tuple[Samples, list[dict[str, Any]]],
    whole: Samples,
    number: int,
    reason: str,
) -> None:
    samples, ledger = samples_and_ledger
    lost = COCO_KEYS[number - 1]
    assert samples == {key: files for key, files in whole.items() if key != lost}
    assert [row["key"] for row in ledger] == [lost]
    assert (ledger[0]["source"], ledger[0]["kind"]) == ("coco", "damaged")
    assert ledger[0]["member"] == f"{number:012d}.jpg"
    assert reason in ledger[0]["reason"]


def coco_with(root: Path, document: Any, pictures: Any = None) -> dict[str, Any]:
    folder = write_coco(root / "in", pictures or PICTURES, {"instances": document})
    return coco_source(folder, "instances")


def test_a_missing_picture_costs_one_sample(tmp_path: Path, whole_coco: dict[str, Samples]) -> None:
    pictures = {name: body for name, body in PICTURES.items() if not name.endswith("3.jpg")}
    samples_and_ledger = build_coco(tmp_path, coco_with(tmp_path, instances(), pictures), INSTANCE)
    reason = "there is no file 000000000003.jpg in train2017"
    check_coco_lost(samples_and_ledger, whole_coco["instances"], 3, reason)


def test_a_picture_that_is_a_folder_costs_one_sample(
    tmp_path: Path, whole_coco: dict[str, Samples]
) -> None:
    source = coco_with(tmp_path, instances())
    place = Path(source["root"]) / "train2017" / "000000000003.jpg"
    place.unlink()
    place.mkdir()
    samples_and_ledger = build_coco(tmp_path, source, INSTANCE)
    check_coco_lost(samples_and_ledger, whole_coco["instances"], 3, "")


def test_annotations_of_pictures_that_no_file_lists_are_no_inputs_and_are_counted(
    tmp_path: Path, whole_coco: dict[str, Samples]
) -> None:
    """Everyone who takes a subset of `images` leaves the annotations of the others in the file."""
    document = instances()
    document["annotations"] += [coco_annotation(900 + n, 77, SQUARE) for n in range(3)]
    document["annotations"].append(coco_annotation(990, 1, SQUARE, image_id="78"))
    report = built(tmp_path / "out", coco_with(tmp_path, document), INSTANCE)
    check_accounts(tmp_path / "out", report)
    assert samples_in(tmp_path / "out", "instance") == whole_coco["instances"]
    assert ledger_in(tmp_path / "out", "instance") == []
    (note,) = report.notes
    assert "4 annotations in" in note
    assert "2 image ids" in note
    assert "77" in note


def test_a_picture_listed_twice_is_named(tmp_path: Path, whole_coco: dict[str, Samples]) -> None:
    document = instances()
    document["images"].append(coco_image(3))
    samples, ledger = build_coco(tmp_path, coco_with(tmp_path, document), INSTANCE)
    assert samples == whole_coco["instances"]
    assert [row["key"] for row in ledger] == [COCO_KEYS[2]]
    assert "listed twice" in ledger[0]["reason"]


@pytest.mark.parametrize("name", ["000000000003-.png", "000000000003 .jpg"])
def test_two_names_that_would_give_one_key_give_two_samples(tmp_path: Path, name: str) -> None:
    """`x.jpg` and `x.png`; `x .jpg` and `x-.jpg`."""
    document = instances()
    document["images"] += [coco_image(91, file_name=name)]
    document["images"] += [coco_image(92, file_name="000000000003-.jpg")]
    document["annotations"] += [coco_annotation(990 + n, n, SQUARE) for n in (91, 92)]
    pictures = PICTURES | {"000000000003-.jpg": jpeg(64, 48, 92)}
    pictures[name] = PICTURES["000000000003.jpg"]
    samples, ledger = build_coco(tmp_path, coco_with(tmp_path, document, pictures), INSTANCE)
    assert ledger == []
    members = [json.loads(sample["json"])["source"]["member"] for sample in samples.values()]
    assert sorted(members) == sorted(image["file_name"] for image in document["images"])


def test_one_file_under_two_image_ids_is_named(
    tmp_path: Path, whole_coco: dict[str, Samples]
) -> None:
    document = instances()
    document["images"].append(coco_image(91, file_name="000000000003.jpg"))
    document["annotations"].append(coco_annotation(991, 91, SQUARE))
    samples, ledger = build_coco(tmp_path, coco_with(tmp_path, document), INSTANCE)
    assert samples == whole_coco["instances"]
    (row,) = ledger
    assert "another image id has the file 000000000003.jpg too" in row["reason"]


BROKEN_ANNOTATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "two points": ({"segmentation": [[1, 1, 5, 5]]}, "4 coordinates"),
    "odd count": ({"segmentation": [[1, 1, 5, 1, 5, 5, 1]]}, "7 coordinates"),
    "no polygons": ({"segmentation": []}, "segmentation is empty"),
    "a word": ({"segmentation": [[1, 1, 5, 1, 5, "x"]]}, "coordinate 'x'"),
    "null": ({"segmentation": [[1, 1, 5, 1, 5, None]]}, "coordinate null"),
    "far away": ({"segmentation": [[1, 1, 1e9, 1, 5, 5]]}, "coordinate"),
    "numbers alone": ({"segmentation": [1, 1, 5, 1, 5, 5]}, "polygon 0"),
    "polygon a word": ({"segmentation": ["polygon"]}, "polygon 0"),
    "segmentation missing": ({"segmentation": None}, "segmentation is empty"),
    "segmentation a word": ({"segmentation": "mask"}, "neither polygons nor run lengths"),
    "counts missing": ({"segmentation": {"size": [48, 64]}}, "neither polygons"),
    "overrun": ({"segmentation": {"size": [48, 64], "counts": [0, 4000]}}, "past the end"),
    "negative": ({"segmentation": {"size": [48, 64], "counts": [3073, -1]}}, "not within"),
    "short": ({"segmentation": {"size": [48, 64], "counts": [100]}}, "before the last"),
    "another size": ({"segmentation": {"size": [64, 48], "counts": [3072]}}, "segmentation.size"),
    "unknown category": ({"category_id": 77}, "category_id is 77"),
    "category zero": ({"category_id": 0}, "category_id"),
    "category a word": ({"category_id": "cat"}, "category_id"),
    "no id": ({"id": None}, "id is null"),
    "iscrowd a word": ({"iscrowd": "no"}, "iscrowd is 'no'; allowed are 0, 1"),
    "a long way around": (
        {"segmentation": [[x for n in range(4000) for x in ((-1) ** n * 1e6, n)]]}, "outline"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN_ANNOTATIONS)
def test_a_wrong_coco_annotation_costs_one_sample_where_the_manifest_says_quarantine(
    tmp_path: Path, whole_coco: dict[str, Samples], name: str
) -> None:
    fields, reason = BROKEN_ANNOTATIONS[name]
    document = instances()
    document["annotations"][4] |= fields
    source = coco_with(tmp_path, document) | {"bad_annotations": "quarantine"}
    check_coco_lost(build_coco(tmp_path, source, INSTANCE), whole_coco["instances"], 3, reason)


def test_wrong_coco_annotations_cost_themselves_and_are_named(
    tmp_path: Path, whole_coco: dict[str, Samples]
) -> None:
    document = instances()
    for number, (fields, _) in enumerate(BROKEN_ANNOTATIONS.values(), 900):
        document["annotations"].append(coco_annotation(number, 3, SQUARE) | fields)
    document["annotations"].append(coco_annotation(31, 3, SQUARE))
    samples, ledger = build_coco(tmp_path, coco_with(tmp_path, document), INSTANCE)
    assert samples == whole_coco["instances"]
    assert {(row["kind"], row["key"]) for row in ledger} == {("note", COCO_KEYS[2])}
    notes = "\n".join(row["reason"] for row in ledger)
    assert len(ledger) == len(BROKEN_ANNOTATIONS) + 1
    for number, (fields, reason) in enumerate(BROKEN_ANNOTATIONS.values(), 900):
        named = "at position" if fields == {"id": None} else f"annotation {number}:"
        assert any(named in line and reason in line for line in notes.splitlines()), reason
    assert "annotation 31: an earlier annotation of the picture has this id" in notes
    assert verify_corpus(str(tmp_path / "out"), deep=True).sound


def test_a_picture_whose_annotations_are_all_wrong_is_left_out_with_the_reasons(
    tmp_path: Path, whole_coco: dict[str, Samples]
) -> None:
    document = instances()
    document["annotations"][4]["segmentation"] = []
    document["annotations"][5]["category_id"] = 77
    samples_and_ledger = build_coco(tmp_path, coco_with(tmp_path, document), INSTANCE)
    check_coco_lost(samples_and_ledger, whole_coco["instances"], 3, "all 2 annotations are wrong")
    assert "segmentation is empty" in samples_and_ledger[1][0]["reason"]


BROKEN_IMAGES: dict[str, tuple[dict[str, Any], str]] = {
    "width of another": ({"width": 63}, ""),
    "size a word": ({"width": "wide"}, "width is 'wide', not a whole number"),
    "size a fraction": ({"width": 64.5}, "width is 64.5"),
    "below nothing": ({"width": -2}, "width"),
    "gigantic": ({"width": 2**40, "height": 2**40}, "pixels"),
}


@pytest.mark.parametrize("name", BROKEN_IMAGES)
def test_a_wrong_image_entry_costs_one_sample(
    tmp_path: Path, whole_coco: dict[str, Samples], name: str
) -> None:
    fields, reason = BROKEN_IMAGES[name]
    document = instances()
    document["images"][2] |= fields
    samples_and_ledger = build_coco(tmp_path, coco_with(tmp_path, document), INSTANCE)
    check_coco_lost(samples_and_ledger, whole_coco["instances"], 3, reason)


@pytest.mark.parametrize(
    "name",
    [
        "../secret.jpg", "/etc/passwd", "a/../../secret.jpg", "..\\secret.jpg", "", ".", "a\0b.jpg",
        "file:///etc/passwd", "x" * 5000 + ".jpg", "folder/", 5, None,
    ],
    ids=lambda name: repr(name)[:20],
)  # fmt: skip
def test_a_file_name_leads_nowhere_and_costs_one_sample(
    tmp_path: Path, whole_coco: dict[str, Samples], name: Any
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "secret.jpg").write_bytes(jpeg(64, 48))
    document = instances()
    document["images"][2] |= {"file_name": name, "coco_url": None}
    shutil.rmtree(tmp_path / "in")
    source = coco_with(tmp_path, document)
    (tmp_path / "in" / "secret.jpg").write_bytes(jpeg(64, 48))
    (tmp_path / "in" / "train2017" / "folder").mkdir()
    samples, ledger = build_coco(tmp_path, source, INSTANCE)
    assert sorted(samples) == [key for key in COCO_KEYS if key != COCO_KEYS[2]]
    assert samples == {key: whole_coco["instances"][key] for key in samples}
    assert len(ledger) == 1


def test_an_image_entry_without_name_and_address_costs_one_sample(tmp_path: Path) -> None:
    document = instances()
    del document["images"][2]["file_name"], document["images"][2]["coco_url"]
    samples, ledger = build_coco(tmp_path, coco_with(tmp_path, document), INSTANCE)
    assert len(samples) == IMAGES - 1
    assert "file_name is null, which names no file" in ledger[0]["reason"]


@pytest.mark.parametrize(
    "document",
    [
        b"", b"nothing", b"[]", b"{}", b"null", b'{"images": 5}', b"[" * 100_000,
        {"images": [], "annotations": []},
        instances(images=[5]),
        instances(images=[{"file_name": "x.jpg"}]),
        instances(images=[coco_image(1) | {"id": [1]}]),
        instances(annotations=[5]),
        instances(annotations=[{}]),
        instances(annotations=[coco_annotation(1, 1, SQUARE) | {"image_id": ["one"]}]),
        instances(categories=[5]),
        instances(categories=[{"id": -1, "name": "nothing"}]),
        instances(categories=[{"id": 2**60, "name": "far away"}]),
        instances(categories=[{"id": "one", "name": "cat"}]),
        instances(categories=[{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}]),
        instances(categories=[{"id": 1, "name": "cat", "isthing": "yes"}]),
        instances(categories=[{"id": 1}]),
    ],
    ids=lambda document: str(document)[-60:],
)  # fmt: skip
def test_what_is_no_coco_file_is_refused_with_its_name(tmp_path: Path, document: Any) -> None:
    source = coco_with(tmp_path, document)
    with pytest.raises(RequestError, match=r"sources\.coco\.instances: .*instances_train2017"):
        built(tmp_path / "out", source, INSTANCE)
    assert not (tmp_path / "out").exists()


def test_no_picture_listed_at_all_is_refused_or_empty(tmp_path: Path) -> None:
    source = coco_with(tmp_path, instances(images=[], annotations=[]))
    try:
        report = built(tmp_path / "out", source, INSTANCE)
        assert report.totals["instance"]["inputs"] == 0
    except RequestError as why:
        assert str(why)


@pytest.mark.parametrize("licences", [[{"id": 4, "name": None}], [], [{"id": 4, "name": 7}]])
def test_a_licence_without_name_costs_no_sample(tmp_path: Path, licences: Any) -> None:
    source = coco_with(tmp_path, instances(licenses=licences))
    samples, ledger = build_coco(tmp_path, source, INSTANCE)
    assert (len(samples), len(ledger)) == (IMAGES, 0)


def test_the_licence_of_each_picture_is_carried(whole_coco: dict[str, Samples]) -> None:
    for files in whole_coco["instances"].values():
        assert json.loads(files["json"])["source"]["licence"] == "Attribution License"


def test_no_segment_at_all_can_be_kept_in_every_palette(tmp_path: Path) -> None:
    source = coco_with(tmp_path, instances(annotations=[], categories=[]))
    lenient = {"filters": {"min_segments": 0}}
    proxies = [
        proxy_of("instance", name=palette, palette=palette, **lenient)
        for palette in ("distinct", "category", "position", "tab20")
    ]
    report = built(tmp_path / "out", source, [*proxies, proxy_of("semantic", **lenient)])
    assert {totals["samples"] for totals in report.totals.values()} == {IMAGES}


def crowded() -> dict[str, Any]:
    document = instances()
    runs = [0, 500, 2572]
    document["annotations"].append(
        coco_annotation(999, 3, {"size": [48, 64], "counts": runs}, iscrowd=1)
    )
    return document


@pytest.mark.parametrize("policy", ["keep", "drop", "reject"])
def test_crowds_are_kept_dropped_or_rejected(
    tmp_path: Path, whole_coco: dict[str, Samples], policy: str
) -> None:
    proxies = [proxy_of("instance", filters={"crowds": policy})]
    source = coco_with(tmp_path, crowded())
    samples, ledger = build_coco(tmp_path, source, proxies)
    key = COCO_KEYS[2]
    plain = whole_coco["instances"]
    assert {other: samples[other]["target.png"] for other in COCO_KEYS if other != key} == {
        other: plain[other]["target.png"] for other in COCO_KEYS if other != key
    }
    if policy == "reject":
        assert key not in samples
        assert [(row["key"], row["kind"]) for row in ledger] == [(key, "filtered")]
        return
    assert ledger == []
    facts = json.loads(samples[key]["json"])
    crowds = [crowd for crowd in shown(facts) if crowd["iscrowd"]]
    if policy == "keep":
        assert [crowd["id"] for crowd in crowds] == [999]
        assert dropped(facts) == {}
    else:
        assert crowds == []
        assert dropped(facts) == {"crowds": 1}
        assert samples[key]["target.png"] == plain[key]["target.png"]


# panoptic


def panoptic_with(root: Path, change: Callable[[dict[str, Any], dict[str, bytes]], Any]) -> Any:
    document, maps = panoptic()
    change(document, maps)
    folder = write_coco(root / "in", PICTURES, {"panoptic": document}, maps)
    return coco_source(folder, "panoptic")


THIRD = "000000000003.png"
BROKEN_PANOPTIC: dict[str, tuple[Callable[[dict[str, Any], dict[str, bytes]], Any], str]] = {
    "map of another size": (
        lambda d, m: m.update({THIRD: panoptic_png(id_map(3)[:, :60])}), "60x48"
    ),
    "map with an unknown id": (
        lambda d, m: m.update({THIRD: panoptic_png(id_map(3) + (id_map(3) == 303))}), "holds id 304"
    ),
    "id that the map lacks": (
        lambda d, m: d["annotations"][2]["segments_info"].append({"id": 9, "category_id": 1}),
        "lists id 9",
    ),
    "map missing": (lambda d, m: m.pop(THIRD), f"there is no file {THIRD} in panoptic_train2017"),
    "map cut in half": (lambda d, m: m.update({THIRD: m[THIRD][:90]}), "the map"),
    "map empty": (lambda d, m: m.update({THIRD: b""}), "the map"),
    "map a jpeg": (lambda d, m: m.update({THIRD: jpeg(64, 48)}), "the map"),
    "map grey, without the ids": (lambda d, m: m.update({THIRD: _grey_png()}), "lists id 303"),
    "map outside": (lambda d, m: d["annotations"][2].update(file_name="../x.png"), "leaves"),
    "map name a number": (lambda d, m: d["annotations"][2].update(file_name=5), ""),
    "map name missing": (lambda d, m: d["annotations"][2].pop("file_name"), ""),
    "segments missing": (lambda d, m: d["annotations"][2].pop("segments_info"), "segments_info"),
    "segments no list": (
        lambda d, m: d["annotations"][2].update(segments_info="none"), "segments_info"
    ),
    "segment a number": (
        lambda d, m: d["annotations"][2].update(segments_info=[5]), "segments_info"
    ),
    "one id twice": (
        lambda d, m: d["annotations"][2]["segments_info"].append({"id": 303, "category_id": 1}),
        "share one id",
    ),
    "void listed": (
        lambda d, m: d["annotations"][2]["segments_info"].append({"id": 0, "category_id": 1}),
        "unlabelled",
    ),
    "two maps of one picture": (
        lambda d, m: d["annotations"].append(d["annotations"][2] | {"file_name": "other.png"}),
        "two annotations of image id 3, with the maps '000000000003.png' and 'other.png'",
    ),
    "unknown category": (
        lambda d, m: d["annotations"][2]["segments_info"][0].update(category_id=99), "category 99"
    ),
}  # fmt: skip


def _grey_png() -> bytes:
    return encoded(Image.new("L", (64, 48)), "PNG")


@pytest.mark.parametrize("name", BROKEN_PANOPTIC)
def test_a_wrong_panoptic_annotation_costs_one_sample(
    tmp_path: Path, whole_coco: dict[str, Samples], name: str
) -> None:
    change, reason = BROKEN_PANOPTIC[name]
    samples_and_ledger = build_coco(tmp_path, panoptic_with(tmp_path, change), PANOPTIC)
    check_coco_lost(samples_and_ledger, whole_coco["panoptic"], 3, reason)


def test_a_picture_without_panoptic_annotation_is_filtered(
    tmp_path: Path, whole_coco: dict[str, Samples]
) -> None:
    source = panoptic_with(tmp_path, lambda d, m: d["annotations"].pop(2))
    samples, ledger = build_coco(tmp_path, source, PANOPTIC)
    assert sorted(samples) == [key for key in COCO_KEYS if key != COCO_KEYS[2]]
    assert [(row["key"], row["kind"]) for row in ledger] == [(COCO_KEYS[2], "filtered")]


# zips


def zip_of(place: Path, method: int = zipfile.ZIP_STORED, folder: str = "train2017/") -> Path:
    with zipfile.ZipFile(place, "w", method) as archive:
        archive.mkdir(folder) if folder else None
        for name, body in PICTURES.items():
            archive.writestr(folder + name, body)
    return place


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_pictures_from_a_zip_equal_those_from_the_folder(tmp_path: Path, method: int) -> None:
    source = coco_with(tmp_path, instances())
    archive = zip_of(tmp_path / "train2017.zip", method)
    built(tmp_path / "folder", source, INSTANCE)
    built(tmp_path / "zip", source | {"pictures": str(archive)}, INSTANCE)
    from_folder, from_zip = files_in(tmp_path / "folder"), files_in(tmp_path / "zip")
    assert from_folder.keys() == from_zip.keys()
    assert {name for name in from_folder if from_folder[name] != from_zip[name]} <= {"corpus.json"}


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
@pytest.mark.parametrize("at", [2, 40, 300])
def test_a_damaged_member_of_a_zip_costs_one_sample(
    tmp_path: Path, whole_coco: dict[str, Samples], method: int, at: int
) -> None:
    archive = zip_of(tmp_path / "pictures.zip", method)
    data = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as opened:
        info = opened.getinfo("train2017/000000000003.jpg")
    start = info.header_offset + 30 + len(info.filename)
    data[start + at : start + at + 3] = b"\xff\x00\x55"
    archive.write_bytes(bytes(data))
    source = coco_with(tmp_path, instances()) | {"pictures": str(archive)}
    samples_and_ledger = build_coco(tmp_path, source, INSTANCE)
    check_coco_lost(samples_and_ledger, whole_coco["instances"], 3, "")


def test_a_damaged_local_header_of_a_zip_costs_one_sample(
    tmp_path: Path, whole_coco: dict[str, Samples]
) -> None:
    archive = zip_of(tmp_path / "pictures.zip")
    data = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as opened:
        at = opened.getinfo("train2017/000000000003.jpg").header_offset
    data[at : at + 4] = b"XXXX"
    archive.write_bytes(bytes(data))
    source = coco_with(tmp_path, instances()) | {"pictures": str(archive)}
    check_coco_lost(build_coco(tmp_path, source, INSTANCE), whole_coco["instances"], 3, "")


def test_a_picture_missing_in_a_zip_costs_one_sample(
    tmp_path: Path, whole_coco: dict[str, Samples]
) -> None:
    archive = tmp_path / "pictures.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for name, body in PICTURES.items():
            if not name.endswith("3.jpg"):
                opened.writestr(f"train2017/{name}", body)
    source = coco_with(tmp_path, instances()) | {"pictures": str(archive)}
    samples_and_ledger = build_coco(tmp_path, source, INSTANCE)
    reason = "there is no file 000000000003.jpg in pictures.zip"
    check_coco_lost(samples_and_ledger, whole_coco["instances"], 3, reason)


@pytest.mark.parametrize("data", [b"no zip at all", b""])
def test_what_is_no_zip_is_refused_by_name(tmp_path: Path, data: bytes) -> None:
    archive = tmp_path / "pictures.zip"
    archive.write_bytes(data)
    source = coco_with(tmp_path, instances()) | {"pictures": str(archive)}
    with pytest.raises(RequestError, match=r"sources.coco.pictures: .*is not a zip archive"):
        built(tmp_path / "out", source, INSTANCE)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("cases", [60, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["instances", "panoptic"])
def test_no_coco_json_breaks_a_build(tmp_path: Path, kind: str, cases: int) -> None:
    """Refused whole and by name, or built with every input accounted for."""
    rng = np.random.default_rng(cases)
    sound, maps = panoptic()
    if kind == "instances":
        sound = instances()
    folder = write_coco(tmp_path / "in", PICTURES, {}, maps)
    place = folder / "annotations" / f"{kind}_train2017.json"
    built_once = 0
    for case in range(cases):
        document = spoiled(rng, sound)
        place.write_text(json.dumps(document))
        source = coco_source(folder, kind)
        try:
            build_coco(tmp_path / str(case), source, INSTANCE if kind == "instances" else PANOPTIC)
            built_once += 1
        except RequestError as why:
            assert place.name in str(why)
        shutil.rmtree(tmp_path / str(case), ignore_errors=True)
    assert built_once > cases / 5
