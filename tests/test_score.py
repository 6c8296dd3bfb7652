"""The score of drawings: what is read, matched, counted and reported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from making import bomb_png, encoded, tar_of
from PIL import Image
from scored import build_scored, write_targets

import sgt_data
from sgt_data.cli.app import main
from sgt_data.errors import PictureError, RequestError
from sgt_data.progress import Progress
from sgt_data.scoring.drawing_pixels import drawing_of_array, drawing_of_file

HIGHER = ("mIoU", "PQ", "SQ", "RQ", "AP", "IoU", "AR", "delta", "SSIM", "F", "accuracy", "11", "22",
          "30")  # fmt: skip
NOT_OF_A_DRAWING = "flat picture"


@pytest.fixture(scope="module")
def corpus(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return build_scored(sample_sources, tmp_path_factory.mktemp("scored") / "corpus")


@pytest.fixture
def drawn(corpus: str, tmp_path: Path) -> Path:
    """The targets of a proxy with sharp edges, as drawings."""
    write_targets(corpus, "semantic", tmp_path / "drawn")
    return tmp_path / "drawn"


@dataclass
class Ran:
    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """The command, in this process."""

    def call(*arguments: str) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["score", *arguments])
        return Ran(int(ended.value.code or 0), *capsys.readouterr())

    return call


def test_our_own_targets_score_perfectly_in_every_proxy(corpus: str, tmp_path: Path) -> None:
    """The corpus' own tars are the drawings; those of a reversed proxy hold no pictures."""
    opened = sgt_data.open_corpus(corpus)
    for proxy in opened.bases:
        write_targets(corpus, proxy, tmp_path / proxy)
    result = sgt_data.score(corpus, [corpus, str(tmp_path)], processes=1)
    assert list(result) == list(opened.proxies)
    for proxy, scored in result.proxies.items():
        assert scored.counts == {
            "samples": len(opened[proxy]), "scored": len(opened[proxy]),
            "missing": 0, "unreadable": 0, "extra": 0,
        }  # fmt: skip
        assert scored.measures, proxy
        for name, estimate in scored.measures.items():
            if NOT_OF_A_DRAWING in name:
                continue
            perfect = 100.0 if "PSNR" in name else float(any(part in name for part in HIGHER))
            assert estimate.value == pytest.approx(perfect, abs=1e-6), (proxy, name)


def test_every_place_and_name_of_drawings_is_read(corpus: str, tmp_path: Path) -> None:
    """A folder, a folder of folders by proxy, tars, a pattern; KEY.png, KEY.target.png, JPEG."""
    keys = write_targets(corpus, "semantic", tmp_path / "flat")
    write_targets(corpus, "semantic", tmp_path / "by" / "deep" / "semantic", "{}.target.{}")
    write_targets(corpus, "depth", tmp_path / "by" / "deep" / "depth", "{}.of-step-9.{}")
    members = [(f"{key}.png", (tmp_path / "flat" / f"{key}.png").read_bytes()) for key in keys]
    (tmp_path / "a.tar").write_bytes(tar_of([*members[:5], ("a.json", b"{}")]))
    (tmp_path / "b.tar").write_bytes(tar_of([(f"x/{name}", body) for name, body in members[5:]]))
    (tmp_path / "named").mkdir()
    (tmp_path / "named" / "semantic.tar").write_bytes(tar_of(members))
    places: list[tuple[Any, Any]] = [
        (tmp_path / "flat", "semantic"),
        (f"{tmp_path}/flat/*.png", ["semantic"]),
        ([tmp_path / "a.tar", tmp_path / "b.tar"], "semantic"),
        (f"{tmp_path}/[ab].tar", "semantic"),
        (tmp_path / "by", None),
        (tmp_path / "named" / "semantic.tar", None),
        (f"file://{tmp_path}/named", None),
    ]
    for place, proxy in places:
        result = sgt_data.score(corpus, place, proxy=proxy, processes=1)
        assert set(result) == ({"semantic", "depth"} if place == tmp_path / "by" else {"semantic"})
        assert result["semantic"].scored == len(keys), place
        assert result["semantic"].measures["mIoU"].value == 1.0, place


def test_nothing_is_lost_without_a_word(corpus: str, drawn: Path, tmp_path: Path) -> None:
    files = sorted(drawn.glob("*.png"))
    files[0].unlink()
    files[1].write_bytes(b"no picture")
    files[2].write_bytes(bomb_png(8192, 8192))
    (drawn / "stranger.png").write_bytes(files[3].read_bytes())
    (drawn / "not a key.png").write_bytes(files[3].read_bytes())
    (drawn / "log.txt").write_text("written by a program")
    zero = sgt_data.score(corpus, drawn, proxy="semantic", processes=1)
    scored = zero["semantic"]
    assert scored.counts == {
        "samples": len(files), "scored": len(files) - 3, "missing": 1, "unreadable": 2, "extra": 1,
    }  # fmt: skip
    said = "\n".join(zero.notes)
    for name in (files[0].stem, files[1].stem, files[2].stem, "stranger.png", "not a key.png"):
        assert name in said
    assert "more than 16,777,216" in said and "no drawings: 1 file" in said
    assert {p.state for p in scored.pictures} == {"scored", "missing", "unreadable"}
    skip = sgt_data.score(corpus, drawn, proxy="semantic", processes=1, missing="skip")
    assert skip["semantic"].counts == scored.counts
    assert skip["semantic"].measures["mIoU"].value == 1.0 > scored.measures["mIoU"].value
    assert skip["semantic"].measures["mIoU"].count == len(files) - 3
    assert scored.measures["mIoU"].count == len(files)
    lost = [picture for picture in scored.pictures if picture.state != "scored"]
    assert all(picture.quality == 0 for picture in lost)


def test_two_drawings_of_a_sample_are_an_error_that_names_both(corpus: str, drawn: Path) -> None:
    key = next(drawn.glob("*.png")).stem
    (drawn / "more").mkdir()
    (drawn / "more" / f"{key}.jpeg").write_bytes(b"")
    with pytest.raises(RequestError, match=rf"{key}.*'{key}.png' and 'more/{key}.jpeg'"):
        sgt_data.score(corpus, drawn, proxy="semantic")
    with pytest.raises(RequestError, match="no folder of their paths is a proxy of the corpus"):
        sgt_data.score(corpus, drawn)


@pytest.mark.parametrize(
    ("place", "proxy", "words"),
    [
        ("nothing", "semantic", "there is no such file or folder"),
        ("empty", None, "no drawing was found"),
        ("flat", None, "nothing says for which of them"),
        ("flat", "semantics", "did you mean semantic"),
        ("flat/*.gif", "semantic", "no file matches"),
    ],
)
def test_a_wrong_request_says_what_would_be_right(
    run: Callable[..., Ran],
    corpus: str,
    tmp_path: Path,
    place: str,
    proxy: str | None,
    words: str,
) -> None:
    write_targets(corpus, "semantic", tmp_path / "flat")
    (tmp_path / "empty").mkdir()
    ran = run(corpus, str(tmp_path / place), *(["--proxy", proxy] if proxy else []))
    assert ran.code == 2 and not ran.out and words in ran.err


def test_where_nothing_was_scored_the_exit_code_is_1(
    run: Callable[..., Ran], corpus: str, tmp_path: Path
) -> None:
    (tmp_path / "drawn").mkdir()
    ran = run(corpus, str(tmp_path / "drawn"), "--proxy", "semantic", "--json")
    document = json.loads(ran.out)
    assert ran.code == 1 and "no drawing" in ran.err
    counts = document["proxies"]["semantic"]["counts"]
    assert counts["scored"] == 0 and counts["missing"] == counts["samples"]


def test_a_program_gives_its_drawings_as_arrays(corpus: str, drawn: Path) -> None:
    """A mapping, pairs as they come, grey, Pillow's images; the same figures as those of files."""
    from_files = sgt_data.score(corpus, drawn, proxy="semantic", processes=1)
    arrays = {p.stem: np.asarray(Image.open(p).convert("RGB")) for p in drawn.glob("*.png")}
    mapped = sgt_data.score(corpus, arrays, proxy="semantic", processes=1)
    came = sgt_data.score(corpus, iter(reversed(arrays.items())), proxy="semantic", processes=1)
    images = ((key, Image.fromarray(array)) for key, array in arrays.items())
    drawn_images = sgt_data.score(corpus, images, proxy="semantic", processes=1)
    for other in (mapped, came, drawn_images):
        assert other.measures == from_files.measures
        assert other["semantic"].pictures == from_files["semantic"].pictures
    assert mapped["semantic"].examples == from_files["semantic"].examples
    assert not came["semantic"].examples
    few = dict(list(arrays.items())[:2]) | {"stranger": np.zeros((4, 4), np.uint8)}
    counts = sgt_data.score(corpus, few, proxy="semantic", processes=1)["semantic"].counts
    assert counts["scored"] == 2 and counts["extra"] == 1


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.zeros((3, 8, 8), np.float32), r"found float32 \[3, 8, 8\]"),
        (np.zeros((8, 8, 4), np.uint8), r"found uint8 \[8, 8, 4\]"),
        (np.zeros((0, 8, 3), np.uint8), r"found uint8 \[0, 8, 3\]"),
        (np.broadcast_to(np.zeros((1, 1, 3), np.uint8), (5000, 5000, 3)), "5000x5000 pixels"),
        ("text", "allowed"),
    ],
)
def test_an_array_of_another_form_is_refused(corpus: str, value: Any, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        sgt_data.score(corpus, {"coco_000000000001": value}, proxy="semantic", processes=1)


def test_pairs_that_are_none_or_come_twice_are_refused(corpus: str) -> None:
    picture = np.zeros((8, 8, 3), np.uint8)
    for drawn, words in (
        ([("a", picture), ("a", picture)], "two drawings of 'a'"),
        ([picture], "pairs of a key and a picture"),
        (7, "allowed: a path or URL"),
        ([], "drawn is empty"),
    ):
        with pytest.raises(RequestError, match=words):
            sgt_data.score(corpus, drawn, proxy="semantic", processes=1)  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="give its name"):
        sgt_data.score(corpus, {"a": picture})


# --- pictures of any form


def test_every_mode_becomes_rgb_by_the_stated_rule() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    image = Image.fromarray(rgb)
    grey = Image.fromarray(rgb[..., 0])
    palette = image.quantize(16)
    forms: dict[str, tuple[bytes, Any]] = {
        "PNG": (encoded(image, "PNG"), rgb),
        "lossless WebP": (encoded(image, "WEBP", lossless=True), rgb),
        "grey": (encoded(grey, "PNG"), np.repeat(rgb[..., :1], 3, 2)),
        "palette": (encoded(palette, "PNG"), np.asarray(palette.convert("RGB"))),
        "TIFF": (encoded(image, "TIFF"), rgb),
    }
    wide = (rgb[..., 0].astype(np.uint16) << 8) | 0xFF
    forms["16 bits"] = encoded(Image.fromarray(wide), "PNG"), np.repeat(rgb[..., :1], 3, 2)
    cmyk = image.convert("CMYK")
    forms["CMYK"] = encoded(cmyk, "TIFF"), np.asarray(cmyk.convert("RGB"))
    for name, (data, expected) in forms.items():
        assert np.array_equal(drawing_of_file(data), expected), name
    alpha = np.full((9, 7), 255, np.uint8)
    alpha[0] = 0
    layered = encoded(Image.fromarray(np.dstack((rgb, alpha))), "PNG")
    assert np.array_equal(drawing_of_file(layered)[1:], rgb[1:])
    assert not drawing_of_file(layered)[0].any(), "alpha lies over black"


def test_orientation_of_a_drawing_is_passed_over() -> None:
    image = Image.fromarray(np.arange(60, dtype=np.uint8).reshape(3, 20))
    exif = Image.Exif()
    exif[0x0112] = 6
    assert drawing_of_file(encoded(image, "PNG", exif=exif)).shape == (3, 20, 3)


def test_a_hostile_drawing_costs_itself_and_no_memory(
    monkeypatch: pytest.MonkeyPatch, corpus: str, drawn: Path
) -> None:
    for data in (
        b"",
        b"GIF89a",
        bomb_png(1 << 30, 1 << 30),
        encoded(Image.new("F", (4, 4)), "TIFF"),
    ):
        with pytest.raises(PictureError):
            drawing_of_file(data)
    with pytest.raises(RequestError, match="more than 16,777,216"):
        drawing_of_array("a", Image.new("1", (1 << 13, 1 << 12)))
    monkeypatch.setattr("sgt_data.scoring.drawn_files.DRAWING_BYTES_MAX", 100)
    scored = sgt_data.score(corpus, drawn, proxy="semantic", processes=1)["semantic"]
    assert scored.unreadable > 0 and scored.unreadable + scored.scored == scored.samples


def test_what_is_no_file_is_passed_over_and_never_waited_for(corpus: str, drawn: Path) -> None:
    first, second, third, *_ = sorted(drawn.glob("*.png"))
    for place in (first, second, third):
        place.unlink()
    os.mkfifo(first)
    second.symlink_to("/dev/zero")  # without an end
    third.symlink_to("nowhere")
    score = sgt_data.score(corpus, drawn, proxy="semantic", processes=1)
    notes = " ".join(score.notes)
    assert score["semantic"].missing == 3 and notes.count("is no file") == 2 and "nowhere" in notes


def test_a_broken_tar_costs_what_it_lost(corpus: str, drawn: Path, tmp_path: Path) -> None:
    members = [(path.name, path.read_bytes()) for path in sorted(drawn.glob("*.png"))]
    whole = tar_of(members)
    (tmp_path / "cut.tar").write_bytes(whole[: len(whole) // 2])
    result = sgt_data.score(corpus, tmp_path / "cut.tar", proxy="semantic", processes=1)
    counts = result["semantic"].counts
    assert 0 < counts["scored"] < counts["samples"]
    assert counts["scored"] + counts["missing"] + counts["unreadable"] == counts["samples"]
    assert any("cut.tar" in note for note in result.notes)


def test_names_in_a_tar_lead_nowhere(corpus: str, drawn: Path, tmp_path: Path) -> None:
    path = next(drawn.glob("*.png"))
    names = [f"../../{path.name}", "/etc/passwd.png", "..png", "a\\b.png"]
    (tmp_path / "evil.tar").write_bytes(tar_of([(name, path.read_bytes()) for name in names]))
    counts = sgt_data.score(corpus, tmp_path / "evil.tar", proxy="semantic", processes=1)
    assert counts["semantic"].scored == 1 and counts["semantic"].extra.count == 1


# --- decoding, subsets, processes


def test_parameters_of_decoding_are_stated_and_can_be_changed(
    run: Callable[..., Ran], corpus: str, drawn: Path
) -> None:
    usual = sgt_data.score(corpus, drawn, proxy="semantic", processes=1)["semantic"].decoding
    assert usual["reject"] == 96.0 and "classes" not in usual
    changed = sgt_data.score(
        corpus, drawn, proxy="semantic", processes=1, decoding={"reject": None, "speck": 3}
    )
    assert changed["semantic"].decoding == usual | {"reject": None, "speck": 3}
    for wrong, words in (
        ({"rejects": 3}, "did you mean reject"),
        ({"speck": "many"}, "speck: found 'many'"),
        ({"compare_at": "nowhere"}, "compare_at: found 'nowhere'"),
    ):
        with pytest.raises(RequestError, match=words):
            sgt_data.score(corpus, drawn, proxy="semantic", decoding=wrong)
    ran = run(corpus, str(drawn), "--proxy", "semantic", "--set", "speck=many")
    assert ran.code == 2 and "speck" in ran.err


def test_a_subset_asks_for_its_own_samples(corpus: str, drawn: Path, tmp_path: Path) -> None:
    file = str(tmp_path / "half.subset.parquet")
    sgt_data.subset(corpus, 0.5, file=file)
    subset = sgt_data.open_corpus(file)
    scored = sgt_data.score(file, drawn, proxy="semantic", processes=1)["semantic"]
    assert scored.samples == scored.scored == len(subset["semantic"])
    assert scored.extra.count == len(list(drawn.glob("*.png"))) - scored.samples


@pytest.mark.slow
def test_two_processes_give_the_figures_of_one(corpus: str, drawn: Path) -> None:
    reports: list[Progress] = []
    alone = sgt_data.score(corpus, drawn, proxy="semantic", processes=1)
    both = sgt_data.score(corpus, drawn, proxy="semantic", processes=2, progress=reports.append)
    assert both == alone
    assert reports[0].phase == "opening the corpus" and reports[-1].done == alone.scored


@pytest.mark.slow
def test_ctrl_c_ends_all_processes(corpus: str, drawn: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sgt_data", "score", corpus, str(drawn)]
    command += ["--proxy", "semantic", "--processes", "2", "--log-json", str(tmp_path / "log")]
    started = subprocess.Popen(
        command, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    end = time.monotonic() + 60
    while "scoring" not in (tmp_path / "log").read_text() if (tmp_path / "log").exists() else True:
        assert time.monotonic() < end and started.poll() is None
        time.sleep(0.02)
    os.kill(started.pid, signal.SIGINT)
    started.communicate(timeout=30)
    assert started.returncode == 130
    with pytest.raises(ProcessLookupError):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            os.killpg(started.pid, 0)
            time.sleep(0.1)


def test_the_scores_of_classes_are_those_of_a_plain_count(corpus: str, drawn: Path) -> None:
    """Of label maps; their mean is the mIoU. `drawn` holds the targets of semantic maps."""
    opened = sgt_data.open_corpus(corpus)
    samples = list(opened["semantic"])
    for sample in samples[: len(samples) // 2]:  # half of the picture is lost
        path = drawn / f"{sample.key}.png"
        pixels = np.array(Image.open(path).convert("RGB"))
        pixels[: len(pixels) // 2] = 0
        Image.fromarray(pixels).save(path)
    scored = sgt_data.score(corpus, str(drawn), proxy="semantic", processes=1)["semantic"]
    shared: Counter[str] = Counter()
    unions: Counter[str] = Counter()
    for sample in samples:
        decoded = sgt_data.decode(sample.target, sample.facts)
        pixels = np.array(Image.open(drawn / f"{sample.key}.png").convert("RGB"))
        for label, segment in enumerate(decoded.segments, 1):
            target = decoded.labels == label
            shown = (pixels == segment["color"]).all(-1)
            shared[segment["category"]] += int((target & shown).sum())
            unions[segment["category"]] += int((target | shown).sum())
    expected = {name: shared[name] / union for name, union in unions.items()}
    assert {name: each.iou for name, each in scored.classes.items()} == pytest.approx(expected)
    assert min(expected.values()) < 1
    mean = sum(expected.values()) / len(expected)
    assert scored.measures["mIoU"].value == pytest.approx(mean)
