"""`ray job submit` against a real head with its dashboard and token authentication."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import yaml
from corpora import both_sources, both_sources_document, file_digests
from prometheus_client.parser import text_string_to_metric_families

from sgt_data import IN_PROCESS, build_corpus, open_corpus, verify_corpus

ROOT = Path(__file__).parent.parent
RAY = Path(sys.executable).parent / "ray"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def metrics_port() -> int:
    """Where the head exports the metrics of its workers."""
    return _free_port()


@pytest.fixture
def head(metrics_port: int) -> Iterator[tuple[str, dict[str, str]]]:
    """Address of the dashboard of a head that demands a token, and an environment that has it."""
    environment = {
        **os.environ,
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    dashboard = _free_port()
    with tempfile.TemporaryDirectory(prefix="ray-") as folder:
        process = subprocess.Popen(
            [
                RAY, "start", "--head", "--block", "--num-cpus", "2", "--temp-dir", folder,
                "--port", str(_free_port()), "--dashboard-host", "127.0.0.1",
                "--dashboard-port", str(dashboard), "--dashboard-agent-listen-port",
                str(_free_port()), "--metrics-export-port", str(metrics_port),
            ],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        try:
            yield f"http://127.0.0.1:{dashboard}", environment
        finally:
            family = psutil.Process(process.pid).children(recursive=True)
            for member in family:
                with suppress(psutil.NoSuchProcess):
                    member.kill()  # asked to end, a head takes half a minute
            process.wait(60)
            psutil.wait_procs(family, timeout=60)


def _metric(port: int, name: str, label: str) -> dict[str, float]:
    """The values of a metric by one of its labels; waits until Ray exports it."""
    until = time.monotonic() + 60
    while True:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            families = text_string_to_metric_families(answer.read().decode())
        values: dict[str, float] = {}
        for sample in (each for family in families for each in family.samples):
            if sample.name == name:
                value = values.get(sample.labels[label], 0.0) + sample.value
                values[sample.labels[label]] = value
        if values or time.monotonic() > until:
            return values
        time.sleep(1)


def _submit(
    address: str, environment: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Submit the pipeline as a job, again while the head is still coming up."""
    until = time.monotonic() + 150
    while True:
        done = subprocess.run(
            [RAY, "job", "submit", "--address", address, "--working-dir", ".", "--",
             sys.executable, "pipelines/build_corpus.py", *arguments],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        starting = "No available agent" in done.stderr or "Failed to connect" in done.stderr
        if not starting or time.monotonic() > until:
            return done
        time.sleep(2)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_submitted_job_builds_the_same_corpus(
    head: tuple[str, dict[str, str]], metrics_port: int, sample_sources: Path, tmp_path: Path
) -> None:
    address, environment = head
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(yaml.safe_dump(both_sources_document(sample_sources, shard_samples=4)))
    output = tmp_path / "corpus"
    done = _submit(address, environment, str(manifest), "--output", str(output))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert verify_corpus(str(output), deep=True).sound
    made = {
        folder: counts["samples"] for folder, counts in open_corpus(output).header.totals.items()
    }
    assert _metric(metrics_port, "ray_sgt_data_samples_total", "folder") == made
    stages = _metric(metrics_port, "ray_sgt_data_stage_seconds_count", "stage")
    assert {"read", "decode", "draw entity", "encode", "commit"} <= stages.keys()
    reference = tmp_path / "reference"
    build_corpus(both_sources(sample_sources, shard_samples=4), str(reference), cluster=IN_PROCESS)
    assert file_digests(output) == file_digests(reference)

    stranger = {**environment, "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    refused = _submit(address, stranger, str(manifest), "--output", str(tmp_path / "never"))
    assert refused.returncode != 0
    assert not (tmp_path / "never").exists()
