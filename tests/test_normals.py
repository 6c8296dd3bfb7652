"""Surface normals: drawn from maps, scenes and metric depth; decoded, checked, turned by EXIF."""

from __future__ import annotations

import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from making import SMALL, UPRIGHT, built, encoded, ledger_in, png_chunks, samples_in, scene
from numpy.typing import NDArray
from PIL import Image

from sgt_data import decode, verify_corpus
from sgt_data.errors import CorpusError, CorpusMismatch, ManifestError, RequestError
from sgt_data.geometry.axes_text import axes_text, stated_directions
from sgt_data.geometry.normals_of_depth import PlaneFit, normals_of_depth
from sgt_data.pictures.normal_colours import CONVENTIONS, OURS
from sgt_data.proxies.normals import NormalsProxy
from sgt_data.records import DenseMap, Intrinsics
from sgt_data.segmentation.pixel_sampling import sample_grid

SIZE = 64, 48
CAMERA = Intrinsics(80.0, 84.0, 30.5, 25.0)
ROUNDING = 0.4
"""Degrees by which rounding to 8 bits can move a vector."""

Vectors = NDArray[np.float64]


def ball(width: int, height: int) -> Vectors:
    """Normals [H, W, 3] of a ball before a floor; NaN above the floor."""
    y, x = np.indices((height, width))
    right, up = (x - 0.4 * width) / (0.3 * height), -(y - 0.5 * height) / (0.3 * height)
    inside = 1 - right**2 - up**2
    normals = np.full((height, width, 3), np.nan)
    normals[height // 2 :] = (0, 0.8, 0.6)
    on_ball = inside > 0
    normals[on_ball] = np.stack([right, up, np.sqrt(np.maximum(inside, 0))], -1)[on_ball]
    return normals


def coloured(normals: Vectors, signs: tuple[int, int, int] = (1, 1, 1)) -> NDArray[np.uint8]:
    """The stated rule: channel = round((component + 1) / 2 * 255), black where there is none."""
    levels = np.rint((normals * signs + 1) / 2 * 255)
    return np.nan_to_num(levels, nan=0).astype(np.uint8)


def degrees(left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.float64]:
    cosine = np.einsum("...k,...k", left.astype(np.float64), right.astype(np.float64))
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def write_source(root: Path, pictures: dict[str, int], **files: dict[str, bytes]) -> dict[str, Any]:
    """A folder source of pictures, by name with their EXIF orientation, and folders beside."""
    (root / "pictures").mkdir(parents=True)
    for name, orientation in pictures.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        image = Image.fromarray(scene(*SIZE, 3))
        (root / "pictures" / f"{name}.jpg").write_bytes(encoded(image, exif=exif))
    for folder, contents in files.items():
        (root / folder).mkdir()
        for name, data in contents.items():
            (root / folder / name).write_bytes(data)
    beside = {folder: f"{root}/{folder}" for folder in files}
    return {"type": "folder", "pictures": f"{root}/pictures", **beside}


def png(pixels: NDArray[Any]) -> bytes:
    return encoded(Image.fromarray(pixels), "PNG")


def npy(values: NDArray[Any], **options: Any) -> bytes:
    out = io.BytesIO()
    np.save(out, values, **options)
    return out.getvalue()


def drawn(
    root: Path, source: dict[str, Any], **proxy: Any
) -> dict[str, tuple[dict[str, Any], Any]]:
    """Facts and vectors by key of a corpus of normals at the size of the pictures."""
    size = {"min_side": 48, "max_side": 64, "multiple_of": 1}
    report = built(root / "out", source, [{"type": "normals"} | proxy], pictures=size)
    assert report.succeeded
    assert verify_corpus(str(root / "out"), deep=True).sound
    samples = samples_in(root / "out", proxy.get("name", "normals"))
    return {
        key: (json.loads(members["json"]), decode(members["target.png"], members["json"]).vectors)
        for key, members in samples.items()
    }


@pytest.mark.parametrize(
    ("convention", "signs"),
    [("ours", (1, 1, 1)), ("nyuv2", (-1, 1, 1)), ("dsine", (-1, 1, 1)), ("marigold", (1, 1, 1)),
     (["right", "down", "away from the viewer"], (1, -1, -1))],
)  # fmt: skip
def test_a_map_of_any_convention_is_drawn_in_any_other_and_decodes_to_its_vectors(
    tmp_path: Path, convention: Any, signs: tuple[int, int, int]
) -> None:
    normals = ball(*SIZE)
    source = write_source(tmp_path, {"a": 1}, normals={"a.png": png(coloured(normals, signs))})
    for target in ("ours", "dsine"):
        proxy = {"name": target, "convention": target}
        ((facts, vectors),) = drawn(
            tmp_path / target, source | {"normals_convention": convention}, **proxy
        ).values()
        none = np.isnan(normals[..., 0])
        assert (np.isnan(vectors[..., 0]) == none).all()
        assert degrees(vectors, normals)[~none].max() < ROUNDING
        assert facts["invalid"] == none.sum() and facts["from"] == "normal map"
        directions = tuple(facts["directions"].values())
        assert directions == CONVENTIONS[target]  # type: ignore[index]
        assert stated_directions(facts["instruction"]["words"]["axes"]) == directions


def test_colours_of_unit_vectors_are_stored_as_they_are(tmp_path: Path) -> None:
    colours = coloured(ball(*SIZE))
    source = write_source(tmp_path, {"a": 1}, normals={"a.png": png(colours)})
    drawn(tmp_path, source)
    target = samples_in(tmp_path / "out", "normals")["folder_a"]["target.png"]
    assert (np.asarray(Image.open(io.BytesIO(target))) == colours).all()


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("frame", ["stored", "upright"])
def test_turning_a_picture_turns_its_vectors(tmp_path: Path, orientation: int, frame: str) -> None:
    """The oracle turns the points of the map as numpy turns its pixels: a vector ends a step away
    from where it begins, and both are pixels."""
    normals = ball(*SIZE)
    turn = UPRIGHT[orientation]
    height, width = normals.shape[:2]
    places = np.stack(np.indices((height, width)), -1)
    turned_places = np.stack([turn(places[..., axis]) for axis in (0, 1)], -1)
    # stored row and column at each upright pixel; how they change by a step to the right and down
    to_right = turned_places[0, 1] - turned_places[0, 0]
    to_down = turned_places[1, 0] - turned_places[0, 0]
    seen = np.stack([turn(normals[..., axis]) for axis in range(3)], -1)
    along = np.stack([-seen[..., 1], seen[..., 0]], -1)  # by stored rows and columns
    upright = np.stack([along @ to_right, -(along @ to_down), seen[..., 2]], -1)
    given = coloured(upright if frame == "upright" else normals)
    source = write_source(tmp_path, {"a": orientation}, normals={"a.png": png(given)})
    ((_, vectors),) = drawn(tmp_path, source | {"orientation": frame}).values()
    assert vectors.shape == upright.shape
    none = np.isnan(upright[..., 0])
    assert (np.isnan(vectors[..., 0]) == none).all()
    assert degrees(vectors, upright)[~none].max() < ROUNDING


@pytest.mark.parametrize("orientation", [1, 6, 7])
def test_normals_of_depth_turn_with_the_picture(tmp_path: Path, orientation: int) -> None:
    """A plane n . point = 1 seen by the camera of the stored pixels."""
    normal = np.array([0.3, 0.5, 0.9]) / np.linalg.norm([0.3, 0.5, 0.9])
    codes = np.rint(plane_depth(normal, 2.0) / 0.0002).astype(np.uint16)
    source = write_source(tmp_path, {"a": orientation}, depth={"a.png": png(codes)}) | {
        "depth_is": "metric", "depth_unit": 0.0002, "orientation": "stored",
        "intrinsics": dict(zip(("fx", "fy", "cx", "cy"), (80.0, 84.0, 30.5, 25.0), strict=True)),
    }  # fmt: skip
    ((facts, vectors),) = drawn(tmp_path, source).values()
    right, up, towards = normal
    expected = {1: (right, up, towards), 6: (up, -right, towards), 7: (up, right, towards)}
    assert facts["from"] == "metric depth" and facts["window"] == 5
    assert degrees(vectors, np.array(expected[orientation])).max() < 1


def plane_depth(normal: NDArray[np.float64], middle: float) -> NDArray[np.float64]:
    """Depth [H, W] of a plane whose normal is right, up, towards the viewer."""
    y, x = np.indices(SIZE[::-1])
    rays = np.stack(
        [(x - CAMERA.cx) / CAMERA.fx, -(y - CAMERA.cy) / CAMERA.fy, -np.ones_like(x)], -1
    )
    return middle * normal[2] / -(rays @ normal)


def of_metres(metres: NDArray[np.float64], **fit: Any) -> NDArray[np.float32]:
    """Normals of depth in fine codes, 0 where it is 0."""
    depth = DenseMap(np.rint(metres / 1e-4).astype(np.uint16), 0, 1, False, 1e-4, (0,))
    grid = sample_grid(*metres.shape, *metres.shape)
    return normals_of_depth(depth, CAMERA, grid, PlaneFit(**fit))


@pytest.mark.parametrize("window", [3, 5, 9])
@pytest.mark.parametrize("normal", [(0, 0, 1), (0.6, 0, 0.8), (-0.2, 0.95, 0.25), (0.5, -0.5, 0.7)])
def test_a_plane_has_its_normal_everywhere(window: int, normal: tuple[float, ...]) -> None:
    unit = np.array(normal) / np.linalg.norm(normal)
    metres = plane_depth(unit, 1.0)
    metres[(metres <= 0) | (metres > 5)] = 0
    vectors = of_metres(metres, window=window)
    seen = ~np.isnan(vectors[..., 0])
    assert seen.sum() > 0.9 * np.count_nonzero(metres)
    assert degrees(vectors[seen], unit).max() < (1.5 if window == 3 else 0.7)


def test_a_ball_has_the_normals_of_a_ball() -> None:
    y, x = np.indices(SIZE[::-1])
    rays = np.stack(
        [(x - CAMERA.cx) / CAMERA.fx, -(y - CAMERA.cy) / CAMERA.fy, -np.ones_like(x)], -1
    )
    centre, radius = np.array([0.1, -0.05, -2.0]), 0.5
    b, square = rays @ centre, (rays**2).sum(-1)
    under_root = b**2 - square * (centre @ centre - radius**2)
    metres = np.where(under_root > 0, (b - np.sqrt(np.maximum(under_root, 0))) / square, 0)
    expected = (rays * metres[..., None] - centre) / radius
    vectors = of_metres(metres)
    assert np.isnan(vectors[metres == 0]).all()
    inner = (under_root > 0.15) & (metres > 0)
    errors = degrees(vectors, expected)[inner]
    assert errors.mean() < 1 and errors.max() < 4


def test_edges_gaps_and_far_pixels_do_not_bend_the_normals_beside_them() -> None:
    """A facing wall at 1 m before a facing wall at 3 m, with a gap in each."""
    metres = np.full(SIZE[::-1], 3.0)
    metres[10:40, 20:50] = 1.0
    metres[20, 30], metres[5:8, 5:8] = 0, 0
    vectors = of_metres(metres)
    assert (np.isnan(vectors[..., 0]) == (metres == 0)).all()
    assert degrees(vectors[metres > 0], np.array([0, 0, 1])).max() < 0.1
    near_alone = of_metres(metres, farthest=2.0)
    assert (np.isnan(near_alone[..., 0]) == (metres != 1)).all()


def test_a_large_stored_map_is_sampled_at_its_own_places() -> None:
    unit = np.array([0.3, 0.5, 0.9]) / np.linalg.norm([0.3, 0.5, 0.9])
    metres = plane_depth(unit, 2.0)
    depth = DenseMap(np.rint(metres / 1e-4).astype(np.uint16), 0, 1, False, 1e-4, (0,))
    for height, width in ((17, 25), (96, 150)):
        grid = sample_grid(*metres.shape, height, width)
        vectors = normals_of_depth(depth, CAMERA, grid, PlaneFit())
        assert vectors.shape == (height, width, 3)
        assert degrees(vectors, unit).max() < 0.5


@pytest.mark.parametrize("form", [np.float32, np.float64, np.float16])
def test_arrays_of_components_are_read_without_pickle(tmp_path: Path, form: Any) -> None:
    normals = ball(*SIZE)
    values = np.asfortranarray(np.nan_to_num(3 * normals).astype(form))
    objects = np.array([[[{}, {}, {}]]], object)
    files = {
        "a.npy": npy(values), "pickled.npy": npy(objects, allow_pickle=True),
        "short.npy": npy(values)[:-4], "flat.npy": npy(values[..., 0]),
    }  # fmt: skip
    source = write_source(
        tmp_path, dict.fromkeys(("a", "pickled", "short", "flat"), 1), normals=files
    )
    built(tmp_path / "out", source, [{"type": "normals"}], pictures=SMALL, max_quarantined=1.0)
    samples = samples_in(tmp_path / "out", "normals")
    assert list(samples) == ["folder_a"]
    members = samples["folder_a"]
    vectors = decode(members["target.png"], members["json"]).vectors
    assert np.isnan(vectors).any()
    reasons = {row["member"]: row["reason"] for row in ledger_in(tmp_path / "out", "normals")}
    assert "not floats of height x width x 3" in reasons["pickled.jpg"]
    assert "not as long as its header states" in reasons["short.jpg"]
    assert "not floats of height x width x 3" in reasons["flat.jpg"]


def test_wrong_files_cost_their_picture_and_say_why(tmp_path: Path) -> None:
    good = coloured(ball(*SIZE))
    rows = np.zeros((SIZE[1], 1 + 6 * SIZE[0]), np.uint8)
    head = struct.pack(">IIBBBBB", *SIZE, 16, 2, 0, 0, 0)
    deep = png_chunks((b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b""))
    files = {
        "grey.png": png(good[..., 0]), "small.png": png(good[:20]), "black.png": png(0 * good),
        "away.png": png(255 - good), "deep.png": deep, "good.png": png(good),
    }  # fmt: skip
    names = [*(name.removesuffix(".png") for name in files), "none"]
    source = write_source(tmp_path, dict.fromkeys(names, 1), normals=files)
    built(tmp_path / "out", source, [{"type": "normals"}], pictures=SMALL, max_quarantined=1.0)
    assert list(samples_in(tmp_path / "out", "normals")) == ["folder_good"]
    reasons = {row["member"]: row["reason"] for row in ledger_in(tmp_path / "out", "normals")}
    assert "is L, not 8-bit RGB" in reasons["grey.jpg"]
    assert "is for 64x20 pixels" in reasons["small.jpg"]
    assert "no pixel of the output has a surface normal" in reasons["black.jpg"]
    assert "point away from the viewer" in reasons["away.jpg"]
    assert "16-bit" in reasons["deep.jpg"] and ".npy" in reasons["deep.jpg"]
    assert "there is no none.png" in reasons["none.jpg"]


def test_cameras_are_told_by_name_and_must_fit_the_picture(tmp_path: Path) -> None:
    codes = np.full(SIZE[::-1], 2000, np.uint16)
    camera = {"fx": 80, "fy": 80, "cx": 31.5, "cy": 23.5}
    cameras = {
        "a": camera, "b.jpg": camera | {"width": 64, "height": 48},
        "wide": camera | {"width": 65, "height": 48}, "flat": camera | {"fx": 0}, "poor": {"fx": 1},
    }  # fmt: skip
    names = [*(name.removesuffix(".jpg") for name in cameras), "unknown"]
    source = write_source(
        tmp_path, dict.fromkeys(names, 1), depth={f"{name}.png": png(codes) for name in names}
    ) | {"depth_is": "metric", "depth_unit": 0.001, "intrinsics": f"{tmp_path}/cameras.json"}
    (tmp_path / "cameras.json").write_bytes(orjson.dumps({"pictures": cameras}))
    built(tmp_path / "out", source, [{"type": "normals"}], pictures=SMALL, max_quarantined=1.0)
    assert list(samples_in(tmp_path / "out", "normals")) == ["folder_a", "folder_b"]
    reasons = {row["member"]: row["reason"] for row in ledger_in(tmp_path / "out", "normals")}
    assert "the camera is for 65x48 pixels" in reasons["wide.jpg"]
    assert "fx is 0" in reasons["flat.jpg"]
    assert "right are fx, fy, cx and cy" in reasons["poor.jpg"]
    assert "states no camera of unknown.jpg" in reasons["unknown.jpg"]
    source["intrinsics"] = f"{tmp_path}/nowhere.json"
    with pytest.raises(RequestError, match=r"sources\.\w+\.intrinsics: .*there is no such file"):
        built(tmp_path / "no", source, [{"type": "normals"}])


def test_a_file_of_cameras_that_is_not_there_is_a_wrong_request_of_its_field(
    tmp_path: Path,
) -> None:
    source = write_source(tmp_path, {"a": 1}, depth={"a.png": png(np.ones(SIZE[::-1], np.uint16))})
    source |= {"depth_is": "metric", "depth_unit": 0.001, "intrinsics": f"{tmp_path}/no.json"}
    with pytest.raises(
        RequestError, match=r"^sources\.folder\.intrinsics: .*no\.json: there is no such file"
    ):
        built(tmp_path / "out", source, [{"type": "normals"}])


def test_a_source_without_normals_and_without_camera_is_refused(tmp_path: Path) -> None:
    source = write_source(tmp_path, {"a": 1}, depth={"a.png": png(np.ones(SIZE[::-1], np.uint16))})
    for more, why in (
        ({}, "has no normals; give it a folder"),
        ({"depth_is": "metric", "depth_unit": 0.001}, "no camera; give it intrinsics"),
        ({"normals_none": [1, 2, 3]}, "normals_none says how files of normals are read"),
        ({"normals": "/n", "normals_convention": "dsin"}, "dsine"),
        ({"intrinsics": {"fx": 0, "fy": 1, "cx": 1, "cy": 1}}, "intrinsics.fx"),
    ):
        with pytest.raises(ManifestError, match=why):
            built(tmp_path / "out", source | more, [{"type": "normals"}])
    with pytest.raises(ManifestError, match=r"window is 4; it has a pixel in its middle: 5"):
        built(tmp_path / "out", source, [{"type": "normals", "window": 4}])


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, dict[str, Any]]:
    root = tmp_path_factory.mktemp("sample")
    source = write_source(root, {"a": 1}, normals={"a.png": png(coloured(ball(*SIZE)))})
    drawn(root, source)
    members = samples_in(root / "out", "normals")["folder_a"]
    return members["target.png"], json.loads(members["json"])


def test_texts_facts_and_targets_that_differ_are_found(
    sample: tuple[bytes, dict[str, Any]],
) -> None:
    target, facts = sample
    assert NormalsProxy.contradictions(target, facts) == []
    swapped = facts["instruction"] | {
        "words": {"axes": "left is red, up is green, towards the viewer is blue"}
    }
    (problem,) = NormalsProxy.contradictions(target, facts | {"instruction": swapped})
    assert "the instruction says" in problem
    turned = facts | {"directions": facts["directions"] | {"green": "down"}}
    assert len(NormalsProxy.contradictions(target, turned)) == 2
    all_turned = turned | {
        "instruction": facts["instruction"]
        | {"words": {"axes": "right is red, down is green, towards the viewer is blue"}}
    }
    (problem,) = NormalsProxy.contradictions(target, all_turned)
    assert "name the convention 'ours', and other directions" in problem
    assert "pixels have no normal" in NormalsProxy.contradictions(target, facts | {"invalid": 1})[0]
    pixels = np.asarray(Image.open(io.BytesIO(target))).copy()
    pixels[0, 0], pixels[40, 40] = (255, 255, 255), (128, 128, 128)
    problems = NormalsProxy.contradictions(png(pixels), facts)
    assert any("2 pixels have colours that no unit vector has" in each for each in problems)


@pytest.mark.parametrize("change", [
    {"directions": {"red": "up", "green": "up", "blue": "up"}}, {"directions": None},
    {"directions": {"red": [], "green": {}, "blue": 1}}, {"instruction": {"words": {"axes": 5}}},
    {"size": {"width": 1, "height": 1}}, {"size": "x"}, {"invalid_color": "black"},
])  # fmt: skip
def test_hostile_facts_are_refused_in_words(
    sample: tuple[bytes, dict[str, Any]], change: dict[str, Any]
) -> None:
    target, facts = sample
    with pytest.raises(CorpusError):
        NormalsProxy.contradictions(target, facts | change)
    with pytest.raises(CorpusError):
        NormalsProxy.contradictions(b"\x89PNG", facts)


def test_every_form_of_the_directions_is_read_back() -> None:
    texts = {axes_text(CONVENTIONS["dsine"], np.random.default_rng(seed)) for seed in range(99)}
    assert len(texts) == 6
    assert {stated_directions(text) for text in texts} == {("left", "up", "towards the viewer")}
    for wrong in ("", "right is red", "right is red, up is red, towards the viewer is blue",
                  "right is red, up is green, blue = towards the viewer"):  # fmt: skip
        assert stated_directions(wrong) != OURS


def test_normals_of_the_sample_scenes_depth_are_near_the_exact_ones(sample_sources: Path) -> None:
    beside = {"root": f"{sample_sources}/coco", "annotations": ["panoptic"], "type": "coco"}
    unit = json.loads((sample_sources / "depth/depth.json").read_bytes())["near_m"] * 65535
    of_depth = beside | {
        "depth": f"{sample_sources}/depth", "depth_is": "inverse", "depth_unit": 1 / unit,
        "intrinsics": f"{sample_sources}/intrinsics.json",
    }  # fmt: skip
    exact = beside | {"normals": f"{sample_sources}/normals", "name": "exact"}
    out = sample_sources.parent / "normals-of-depth"
    built(out, [of_depth, exact], [{"type": "normals", "farthest": 50}])
    samples = {
        key: decode(members["target.png"], members["json"]).vectors
        for key, members in samples_in(out, "normals").items()
    }
    errors = []
    for key in samples:
        if key.startswith("coco_"):
            both = samples[key], samples[key.replace("coco_", "exact_")]
            errors.append(
                degrees(*both)[np.isfinite(both[0][..., 0]) & np.isfinite(both[1][..., 0])]
            )
    everything = np.concatenate(errors)
    assert everything.size > 10_000
    assert np.median(everything) < 0.6 and everything.mean() < 4


def test_a_corpus_of_before_is_continued_and_changed_normals_make_another(tmp_path: Path) -> None:
    """What lies beside pictures is part of the identity of those proxies alone that draw it."""
    codes = np.full(SIZE[::-1], 2000, np.uint16)
    colours = coloured(ball(*SIZE))
    beside = write_source(
        tmp_path, {"a": 1}, normals={"a.png": png(colours)}, depth={"a.png": png(codes)}
    )
    source = {name: beside[name] for name in ("type", "pictures")}
    out, edge, normals = tmp_path / "out", {"type": "edge"}, {"type": "normals"}
    assert built(out, source, [edge]).succeeded
    given = source | {"normals": beside["normals"], "normals_convention": "marigold"}
    assert built(out, given, [edge, normals]).succeeded
    moved = tmp_path / "moved"
    (tmp_path / "normals").rename(moved)
    assert built(out, given | {"normals": str(moved)}, [edge, normals]).succeeded
    with pytest.raises(CorpusMismatch, match=r"makers\.normals\.normal_files\.folder\.directions"):
        built(out, given | {"normals": str(moved), "normals_convention": "dsine"}, [edge, normals])
    (moved / "a.png").write_bytes(png(np.flipud(colours)))
    with pytest.raises(CorpusMismatch, match=r"makers\.normals\.files\.folder"):
        built(out, given | {"normals": str(moved)}, [edge, normals])
    metric = {"depth": beside["depth"], "depth_is": "metric", "depth_unit": 0.001}
    camera = {"fx": 80, "fy": 80, "cx": 31.5, "cy": 23.5}
    assert built(tmp_path / "b", source | metric | {"intrinsics": camera}, [normals]).succeeded
    with pytest.raises(CorpusMismatch, match=r"makers\.normals\.cameras\.folder"):
        built(tmp_path / "b", source | metric | {"intrinsics": camera | {"fx": 81}}, [normals])
