"""How commands end: a message and an exit code, whatever the disk, the pipe or a signal does."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import yaml
from corpora import file_digests
from making import coco_annotation, coco_document, coco_image, jpeg, write_coco
from PIL import Image

from sgt_data.cli.app import main

SGT = [sys.executable, "-m", "sgt_data"]


def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [*SGT, *map(str, arguments)]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.run(
        command, text=True, check=False, timeout=300, **streams | options,  # type: ignore[call-overload]
    )  # fmt: skip


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest of 150 pictures in shards of one picture."""
    folder = tmp_path_factory.mktemp("endings")
    images = [coco_image(number) for number in range(1, 151)]
    square = [[1, 1, 40, 1, 40, 40, 1, 40]]
    annotations = [coco_annotation(image["id"], image["id"], square) for image in images]
    pictures = {image["file_name"]: jpeg(64, 48, image["id"] % 3) for image in images}
    write_coco(folder / "in", pictures, {"instances": coco_document(images, annotations)})
    document = {
        "name": "endings",
        "shard_samples": 1,
        "pictures": {"min_side": 128, "max_side": 256},
        "sources": [{"type": "coco", "root": str(folder / "in"), "annotations": ["instances"]}],
        "proxies": [{"type": "segmentation", "name": "instance", "variant": "instance"}],
    }
    path = folder / "manifest.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.fixture(scope="module")
def corpus(manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("endings") / "corpus"
    done = run("build", manifest, "--output", output, "--workers", 0)
    assert done.returncode == 0, done.stderr
    return output


def test_a_result_that_cannot_be_written_is_an_error_in_words(corpus: Path) -> None:
    for arguments in (["info", corpus], ["info", corpus, "--json"]):
        with open("/dev/full", "w") as full:
            done = run(*arguments, stdout=full)
        assert (done.returncode, done.stderr) == (
            1,
            "sgt-data: the result cannot be written to standard output: No space left on device\n",
        )
    with open("/dev/full", "w") as full:
        done = run("--help", stdout=full)
    assert (done.returncode, done.stderr) == (1, "sgt-data: No space left on device\n")


def test_a_closed_standard_output_is_no_error(corpus: Path, tmp_path: Path) -> None:
    """As a daemon has it, `>&-`; and a file that is opened does not take its place."""
    file = tmp_path / "half.subset.parquet"
    for arguments in (f"info {corpus}", "--help", f"scale {corpus} --fraction 0.5 --file {file}"):
        done = subprocess.run(
            ["sh", "-c", f"{sys.executable} -m sgt_data {arguments} >&-"], capture_output=True,
            text=True, check=False, timeout=300,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (0, "") and "Traceback" not in done.stderr
    assert run("info", file).returncode == 0


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_reader_that_closes_the_pipe_ends_a_command_quietly(
    corpus: Path, more: tuple[str, ...]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = run("info", corpus, *more, stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")


def _no_large_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("preview CORPUS -o HERE", 2, "is a folder"),
        ("preview CORPUS -o FILE/x.png", 2, "f is a file, no folder"),
        ("preview CORPUS -o /proc/x.png", 1, "cannot write"),
        ("preview CORPUS -o LONG.png", 2, "File name too long"),
        ("sample FILE --images 1", 1, "Not a directory"),
        ("info FILE", 2, "holds no corpus"),
        ("info LONG", 1, "File name too long"),
        ("verify FILE/x", 2, "holds no corpus"),
        ("build HERE --output HERE/o", 2, "is a folder"),
        ("export CORPUS --output FILE", 2, "is a file"),
        ("questions CORPUS --output FILE/q", 1, "Not a directory"),
        ("scale CORPUS --fraction 0.5 --file FILE/x.subset.parquet", 2, "f is a file, no folder"),
    ],
)
def test_no_error_of_a_disk_is_a_traceback(
    corpus: Path,
    tmp_path: Path,
    line: str,
    code: int,
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "f").write_text("a file")
    places = {"CORPUS": corpus, "FILE": tmp_path / "f", "HERE": tmp_path, "LONG": "x" * 300}
    for name, place in places.items():
        line = line.replace(name, str(place))
    with pytest.raises(SystemExit) as end:
        main(line.split())
    shown = capsys.readouterr()
    assert end.value.code == code, shown.err
    assert words in shown.err
    assert "Errno" not in shown.err
    assert shown.out == ""


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, 1), (errno.EIO, 1), (errno.EACCES, 2), (errno.EROFS, 2)]
)
def test_an_error_of_the_system_that_nothing_expected_is_shown_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int, code: int
) -> None:
    def refuse(url: str) -> None:
        raise OSError(number, os.strerror(number), "/some/place")

    monkeypatch.setattr("sgt_data.subsets.open_corpus.open_corpus", refuse)
    with pytest.raises(SystemExit) as end:
        main(["info", "x"])
    assert end.value.code == code
    assert capsys.readouterr().err == f"sgt-data: /some/place: {os.strerror(number)}\n"


def test_a_disk_that_takes_no_more_ends_a_build_in_words(manifest: Path, tmp_path: Path) -> None:
    arguments = ["build", manifest, "--output", tmp_path / "c", "--workers", 0]
    done = run(*arguments, preexec_fn=_no_large_files)
    assert done.returncode == 1
    assert "cannot write" in done.stderr
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, 130),
        (signal.SIGTERM, 143),
        pytest.param(signal.SIGHUP, 129, marks=pytest.mark.slow),
    ],
)
def test_a_stopped_build_says_what_is_kept_and_goes_on(
    manifest: Path, corpus: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    output = tmp_path / "c"
    arguments = [*SGT, "build", str(manifest), "--output", str(output), "--workers", "0"]
    process = subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=heeds_signals,
    )  # fmt: skip
    wait_for(lambda: any(output.glob("receipts/*/*.json")), process)
    process.send_signal(number)
    out, error = process.communicate(timeout=300)
    assert process.returncode == code, error
    assert "What is committed is kept. The same command continues the build." in error
    assert "Traceback" not in error
    assert out == ""
    committed = list(output.glob("receipts/*/*.json"))
    assert 0 < len(committed) < 150
    assert not list(output.rglob(".sgt-tmp-*"))
    with pytest.raises(SystemExit) as end:
        main(arguments[3:])
    assert not end.value.code
    assert file_digests(output) == file_digests(corpus)


def heeds_signals() -> None:
    """In a child: signals as in a shell, whatever this process was told to ignore (`nohup`)."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    began = time.monotonic()
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() - began < 250
        time.sleep(0.02)


@pytest.mark.slow
def test_a_stopped_build_takes_its_ray_down(manifest: Path, tmp_path: Path) -> None:
    output = tmp_path / "c"
    process = subprocess.Popen(
        [*SGT, "build", str(manifest), "--output", str(output), "--workers", "2"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    wait_for(lambda: any(output.glob("receipts/*/*.json")), process)
    family = psutil.Process(process.pid).children(recursive=True)
    assert any("raylet" in member.name() for member in family)
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=300)
    assert process.returncode == 143, error
    assert "What is committed is kept. The same command continues the build." in error
    _, alive = psutil.wait_procs(family, timeout=120)
    assert [member for member in alive if member.status() != psutil.STATUS_ZOMBIE] == []


def test_a_contact_sheet_has_the_format_of_its_name(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, form in (("a.png", "PNG"), ("a.jpg", "JPEG"), ("a.JPEG", "JPEG")):
        with pytest.raises(SystemExit) as end:
            main(["preview", str(corpus), "-o", str(tmp_path / name), "--per-source", "1"])
        assert not end.value.code
        with Image.open(tmp_path / name) as sheet:
            assert sheet.format == form
    with pytest.raises(SystemExit) as end:
        main(["preview", str(corpus), "-o", str(tmp_path / "a.gif")])
    assert end.value.code == 2
    assert "allowed: .png, .jpg, .jpeg" in capsys.readouterr().err
    assert not (tmp_path / "a.gif").exists()
