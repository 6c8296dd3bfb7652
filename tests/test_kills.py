"""Builds that are killed, driver and workers, at random moments."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import psutil
import pytest
import yaml
from corpora import both_sources_document, file_digests

from sgt_data.scenes.write_samples import write_samples

KILLS = 5
"""At least so many; each round kills four workers and then the driver."""


def _build(manifest: Path, output: Path, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from sgt_data.cli.app import main; main()", "build"]
    return subprocess.Popen(
        [*command, str(manifest), "--output", str(output), *more],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _committed(output: Path) -> dict[Path, tuple[int, int]]:
    """Receipts and the tars they vouch for, with inode and time: rewritten files differ."""
    files = {}
    for receipt in (output / "receipts").rglob("*.json"):
        tar = output / receipt.relative_to(output / "receipts").with_suffix(".tar")
        for path in (receipt, tar):
            files[path] = (path.stat().st_ino, path.stat().st_mtime_ns)
    return files


def _check_visible(output: Path, reference: dict[str, str]) -> None:
    """Whatever can be seen is whole, committed or not."""
    for tar in output.rglob("*.tar"):
        with tarfile.open(tar) as archive:
            assert archive.getmembers()
    for receipt in (output / "receipts").rglob("*.json"):
        proxy, name = receipt.parent.name, receipt.stem
        digests = file_digests(output / proxy)
        assert digests[f"{name}.tar"] == reference[f"{proxy}/{name}.tar"]


def _workers(driver: subprocess.Popen[bytes]) -> list[psutil.Process]:
    workers = []
    for process in psutil.Process(driver.pid).children(recursive=True):
        try:
            if process.name().startswith("ray::"):
                workers.append(process)
        except psutil.NoSuchProcess:
            continue
    return workers


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_killed_builds_lose_nothing_and_redo_nothing(tmp_path: Path) -> None:
    sources, output = tmp_path / "sources", tmp_path / "corpus"
    write_samples(str(sources), 80, size=(320, 240))
    document = both_sources_document(sources, shard_samples=4)
    document["pictures"] = {"min_side": 512, "max_side": 1024}
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(yaml.safe_dump(document))
    assert _build(manifest, tmp_path / "reference", "--workers", "0").wait() == 0
    reference = file_digests(tmp_path / "reference")

    dice = random.Random(0)
    kills = 0
    while kills < KILLS:
        before = _committed(output) if output.exists() else {}
        assert len(before) < 2 * sum(name.endswith(".tar") for name in reference), "too little work"
        driver = _build(manifest, output, "--workers", "2")
        began = time.monotonic()
        while driver.poll() is None and not _workers(driver):
            assert time.monotonic() - began < 120
            time.sleep(0.05)
        family = psutil.Process(driver.pid).children(recursive=True)
        for _ in range(4):
            time.sleep(dice.uniform(0.2, 1.5))
            if victims := _workers(driver):
                dice.choice(victims).kill()
                kills += 1
        time.sleep(dice.uniform(0.1, 1.5))
        if driver.poll() is None:
            os.kill(driver.pid, signal.SIGKILL)
            kills += 1
        driver.wait()
        psutil.wait_procs(family, timeout=dice.uniform(0, 5))  # orphans may still be at work
        _check_visible(output, reference)
        after = _committed(output)
        assert {path: after[path] for path in before} == before
    before = _committed(output)
    assert _build(manifest, output, "--workers", "2").wait() == 0
    after = _committed(output)
    assert {path: after[path] for path in before} == before
    assert file_digests(output) == reference
