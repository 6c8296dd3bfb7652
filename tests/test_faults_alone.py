"""Faults of one machine: a disk that fills, clocks that jump, two builds at once on one disk."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from corpora import both_sources, both_sources_document, file_digests
from making import built
from PIL import Image

from sgt_data import IN_PROCESS, build_corpus, verify_corpus
from sgt_data.errors import StorageError

CLOCK = """
import itertools, time

DAYS = 86400.0
JUMPS = itertools.cycle([0.0, 400 * DAYS, -400 * DAYS, 3 * DAYS, -20000 * DAYS])

def jumping(clock, unit=1):
    return lambda: clock() + type(clock())(next(JUMPS) * unit)

time.time, time.time_ns = jumping(time.time), jumping(time.time_ns, 10**9)
"""
"""A clock that is another one at every look."""


@pytest.fixture(scope="module")
def reference(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    place = tmp_path_factory.mktemp("reference")
    manifest = both_sources(sample_sources, shard_samples=3)
    assert build_corpus(manifest, str(place), cluster=IN_PROCESS).succeeded
    return file_digests(place)


@pytest.fixture
def manifest_file(sample_sources: Path, tmp_path: Path) -> Path:
    place = tmp_path / "manifest.yaml"
    place.write_text(yaml.safe_dump(both_sources_document(sample_sources, shard_samples=3)))
    return place


def command(manifest: Path, output: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sgt_data", "build", str(manifest), "--output", str(output),
         "--workers", "0"],
        env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "none", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield place
    finally:
        gc.collect()  # which closes what readers left open
        subprocess.run(["umount", place], check=True)


def test_a_build_on_a_disk_that_fills_goes_on_once_it_is_freed(
    small_disk: Path, sample_sources: Path, reference: dict[str, str]
) -> None:
    manifest = both_sources(sample_sources, shard_samples=3)
    output = small_disk / "corpus"
    with pytest.raises(StorageError, match="No space left on device; what is committed is kept"):
        build_corpus(manifest, str(output), cluster=IN_PROCESS)
    digests = file_digests(output)
    committed = [name for name in digests if name.startswith("receipts/")]
    assert 0 < len(committed) < len([name for name in reference if name.startswith("receipts/")])
    assert digests.items() <= reference.items()
    with suppress(StorageError):  # full as it is, nothing is lost by another attempt
        build_corpus(manifest, str(output), cluster=IN_PROCESS)
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    report = build_corpus(manifest, str(output), cluster=IN_PROCESS)
    assert report.succeeded
    assert report.found_shards >= len(committed)
    assert file_digests(output) == reference
    assert verify_corpus(str(output), deep=True).sound


LITTLE_MEMORY = """
import resource, sys
from pathlib import Path
import psutil
from making import built
from PIL import Image
small, large, output = sys.argv[1:]
built(Path(output + "-small"), {"type": "folder", "pictures": small}, [{"type": "edge"}])
most = psutil.Process().memory_info().vms + (150 << 20)
resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
built(Path(output), {"type": "folder", "pictures": large}, [{"type": "edge"}])
"""


def test_a_machine_without_memory_damages_no_picture(tmp_path: Path) -> None:
    for name, side in (("small", 64), ("large", 9000)):
        (tmp_path / name).mkdir()
        Image.new("RGB", (side, side), (9, 60, 99)).save(tmp_path / name / "0.png")
    output = tmp_path / "corpus"
    path = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parent.parent)])
    done = subprocess.run(
        [sys.executable, "-c", LITTLE_MEMORY, *(str(tmp_path / name) for name in
         ("small", "large", "corpus"))],
        env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False,
        timeout=200,
    )  # fmt: skip
    assert "BuildError: this process may take no more memory" in done.stderr, done.stderr
    assert not list(output.glob("receipts/*/*"))
    report = built(output, {"type": "folder", "pictures": f"{tmp_path}/large"}, [{"type": "edge"}])
    assert report.totals["edge"]["samples"] == 1


def test_no_byte_depends_on_a_clock_that_jumps(
    manifest_file: Path, tmp_path: Path, reference: dict[str, str]
) -> None:
    (tmp_path / "clock").mkdir()
    (tmp_path / "clock" / "sitecustomize.py").write_text(CLOCK)
    path = os.pathsep.join([str(tmp_path / "clock"), str(Path(__file__).parent.parent)])
    output = tmp_path / "corpus"
    build = command(manifest_file, output, PYTHONPATH=path)
    _, messages = build.communicate(timeout=300)
    assert build.returncode == 0, messages
    assert file_digests(output) == reference
    for number, receipt in enumerate(sorted(output.glob("receipts/*/*.json"))):
        if number % 2:
            receipt.unlink()
    for number, file in enumerate(sorted(output.rglob("*"))):  # dates before 1971 and after 2090
        os.utime(file, (number % 2 * 3.8e9, number % 2 * 3.8e9))
    again = command(manifest_file, output, PYTHONPATH=path)
    _, messages = again.communicate(timeout=300)
    assert again.returncode == 0, messages
    assert file_digests(output) == reference
    assert verify_corpus(str(output), deep=True).sound


def test_two_builds_at_once_on_one_disk_end_in_one_corpus(
    manifest_file: Path, tmp_path: Path, reference: dict[str, str]
) -> None:
    """A third one is killed beside them; its unfinished files are nobody's."""
    output = tmp_path / "corpus"
    builds = [command(manifest_file, output) for _ in range(3)]
    builds[2].stderr.readline()  # type: ignore[union-attr]
    builds[2].kill()
    for build in builds:
        _, messages = build.communicate(timeout=300)
        assert build is builds[2] or build.returncode == 0, messages
    assert file_digests(output) == reference
    assert verify_corpus(str(output), deep=True).sound
