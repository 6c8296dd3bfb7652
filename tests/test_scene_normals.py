"""Normals and cameras of the drawn scenes, against the exact depth of the same scenes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from sgt_data.scenes import Scene, draw_scene, write_samples
from sgt_data.scenes.staging import Scenes

NEEDLE = 0.39
"""Degrees by which rounding to a colour can move a vector."""


def points(depth: NDArray[np.float32], camera: dict[str, float]) -> NDArray[np.float64]:
    """Where each pixel lies: [H, W, 3] metres, right, up, towards the viewer."""
    y, x = np.indices(depth.shape)
    far = depth.astype(np.float64)
    with np.errstate(invalid="ignore"):
        right = (x - camera["cx"]) / camera["fx"] * far
        up = -(y - camera["cy"]) / camera["fy"] * far
    return np.stack([right, up, -far], axis=-1)


def degrees(left: NDArray, right: NDArray) -> NDArray[np.float64]:
    cosine = np.einsum("...k,...k", left.astype(np.float64), right.astype(np.float64))
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def by_differences(scene: Scene) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Normals of all but the outermost pixels by differences of the depth, and where the surface is
    smooth enough for them: there inverse depth is a plane of the picture but for a small rest."""
    at = points(scene.depth, scene.intrinsics)
    with np.errstate(invalid="ignore"):
        across, upwards = at[1:-1, 2:] - at[1:-1, :-2], at[:-2, 1:-1] - at[2:, 1:-1]
        normals = np.cross(across, upwards)
        normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    near = 1 / scene.depth.astype(np.float64)
    centre = near[1:-1, 1:-1]
    bends = [near[1:-1, 2:] + near[1:-1, :-2] - 2 * centre, near[2:, 1:-1] + near[:-2, 1:-1]
             - 2 * centre]  # fmt: skip
    smooth = np.isfinite(normals).all(axis=-1)
    for bend in bends:
        smooth &= np.abs(bend) < 2e-5 * centre
    return normals, smooth


@pytest.mark.parametrize(("kind", "size"), [("varied", (320, 240)), ("simple", (160, 200))])
def test_normals_are_those_of_the_exact_depth(kind: Scenes, size: tuple[int, int]) -> None:
    for index in range(6):
        scene = draw_scene(3, index, *size, kind)
        expected, smooth = by_differences(scene)
        errors = degrees(expected, scene.normals[1:-1, 1:-1])[smooth]
        assert smooth.mean() > 0.15
        assert np.median(errors) < 0.05
        assert np.percentile(errors, 99) < 1


@pytest.mark.parametrize("kind", ["varied", "simple"])
def test_normals_have_length_one_and_face_the_camera(kind: Scenes) -> None:
    """But for single pixels on an edge, whose rounded point lies on a face that is turned away."""
    away = pixels = 0
    for index in range(60):
        scene = draw_scene(4, index, 96, 96, kind)
        surface = np.isfinite(scene.depth)
        assert (np.isnan(scene.normals).all(axis=-1) == ~surface).all()
        normals = scene.normals[surface]
        assert np.allclose(np.linalg.norm(normals, axis=-1), 1, atol=1e-6)
        along = np.einsum("nk,nk->n", normals, points(scene.depth, scene.intrinsics)[surface])
        away += np.count_nonzero(along > 1e-4)
        pixels += along.size
    assert away <= 1e-5 * pixels


def test_the_files_state_normals_and_cameras(tmp_path: Path) -> None:
    write_samples(str(tmp_path), 2, seed=5, size=(96, 64))
    rule = json.loads((tmp_path / "normals/normals.json").read_bytes())
    assert (rule["red"], rule["green"], rule["blue"]) == ("right", "up", "towards the viewer")
    cameras = json.loads((tmp_path / "intrinsics.json").read_bytes())["pictures"]
    assert sorted(cameras) == ["000000000001", "000000000002", "sa_1", "sa_2"]
    scene = draw_scene(5, 2, 96, 64)
    assert cameras["sa_2"] == scene.intrinsics
    assert (cameras["sa_2"]["cx"], cameras["sa_2"]["cy"]) == (47.5, 31.5)
    colours = np.asarray(Image.open(tmp_path / "normals/sa_2.png")).astype(np.float64)
    surface = np.isfinite(scene.depth)
    assert (colours[~surface] == 0).all()
    vectors = colours[surface] / 127.5 - 1
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    assert degrees(vectors, scene.normals[surface]).max() <= NEEDLE
