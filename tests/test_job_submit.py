"""`ray job submit` from a clone against a real head with its dashboard and token authentication."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import yaml
from corpora import both_sources, both_sources_document, file_digests
from ports import free_port
from prometheus_client.parser import text_string_to_metric_families
from ray.job_submission import JobStatus, JobSubmissionClient

from sgt_data import IN_PROCESS, build_corpus, open_corpus, verify_corpus
from sgt_data.scenes.write_samples import write_samples

ROOT = Path(__file__).parent.parent
RAY = Path(sys.executable).parent / "ray"

CODE = ("manifests", "pipelines", "sgt_data")
"""What a job takes of a clone."""


@dataclass(frozen=True, slots=True)
class Head:
    """A head: its dashboard, the environment of who may use it, where it keeps what it got, and the
    port on which it exports the metrics of its workers."""

    address: str
    environment: dict[str, str]
    folder: Path
    metrics_port: int

    def jobs(self) -> JobSubmissionClient:
        token = self.environment["RAY_AUTH_TOKEN"]
        return JobSubmissionClient(self.address, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def head() -> Iterator[Head]:
    """A head that demands a token."""
    environment = {
        **os.environ,
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    dashboard, metrics_port = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="ray-") as folder:
        process = subprocess.Popen(
            [
                RAY, "start", "--head", "--block", "--num-cpus", "2", "--temp-dir", folder,
                "--port", str(free_port()), "--dashboard-host", "127.0.0.1",
                "--dashboard-port", str(dashboard), "--dashboard-agent-listen-port",
                str(free_port()), "--metrics-export-port", str(metrics_port),
            ],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        try:
            yield Head(f"http://127.0.0.1:{dashboard}", environment, Path(folder), metrics_port)
        finally:
            family = psutil.Process(process.pid).children(recursive=True)
            for member in family:
                with suppress(psutil.NoSuchProcess):
                    member.kill()  # asked to end, a head takes half a minute
            process.wait(60)
            psutil.wait_procs(family, timeout=60)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The repository as a user has it: with an environment, and a corpus of 30 MB inside."""
    root = tmp_path / "clone"
    root.mkdir()
    shutil.copy(ROOT / ".rayignore", root)
    for name in CODE:
        shutil.copytree(ROOT / name, root / name)
    for name, size in (("corpora/mine/000000.tar", 30 << 20), (".venv/bin/python", 1 << 20)):
        (root / name).parent.mkdir(parents=True)
        (root / name).write_bytes(os.urandom(size))
    return root


def _client(
    head: Head, clone: Path, *arguments: str, name: str, environment: dict[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start `ray job submit` of the pipeline, in the clone."""
    return subprocess.Popen(
        [RAY, "job", "submit", "--address", head.address, "--working-dir", ".",
         "--submission-id", name, "--", sys.executable, "pipelines/build_corpus.py", *arguments],
        cwd=clone, env=environment or head.environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def _submit_and_lose_the_client(head: Head, clone: Path, *arguments: str, name: str) -> None:
    """Kill the client once it has submitted; submit again while the head is still coming up."""
    said = ""
    for _ in range(60):
        with _client(head, clone, *arguments, name=name) as client:
            assert client.stdout is not None
            for line in client.stdout:
                said += line
                if "submitted successfully" in line:
                    client.kill()
                    return
        assert "No available agent" in said or "Failed to connect" in said, said
        time.sleep(2)
    raise AssertionError(said)


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


def _wait_until(is_so: Callable[[], bool], seconds: float = 150) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_submitted_job_builds_the_same_corpus(head: Head, clone: Path, tmp_path: Path) -> None:
    """Without its client, after a stop, and with the code alone of a clone that holds data."""
    sources = tmp_path / "sources"
    write_samples(str(sources), 60, seed=1, size=(320, 240), pictures_per_tar=6)
    build_corpus(both_sources(sources, shard_samples=2), str(tmp_path / "undisturbed"),
                 cluster=IN_PROCESS)  # fmt: skip
    undisturbed = file_digests(tmp_path / "undisturbed")
    manifest = clone / "mine.yaml"
    manifest.write_text(yaml.safe_dump(both_sources_document(sources, shard_samples=2)))

    # the job of a client that is gone works on
    output = tmp_path / "corpus"
    _submit_and_lose_the_client(head, clone, manifest.name, "--output", str(output), name="first")
    assert not output.exists()
    _wait_until(lambda: any(output.glob("receipts/*/*.json")))

    # a job that was stopped is continued by the next one
    jobs = head.jobs()
    jobs.stop_job("first")
    _wait_until(lambda: jobs.get_job_status("first").is_terminal())
    assert jobs.get_job_status("first") == JobStatus.STOPPED
    assert len(file_digests(output)) < len(undisturbed)
    again = _client(head, clone, manifest.name, "--output", str(output), name="second")
    said, _ = again.communicate(timeout=150)
    assert again.returncode == 0, said
    assert verify_corpus(str(output), deep=True).sound
    assert file_digests(output) == undisturbed

    # the metrics of both jobs, of which the first one's may be gone
    totals = open_corpus(output).header.totals
    samples = _metric(head.metrics_port, "ray_sgt_data_samples_total", "folder")
    assert samples.keys() == totals.keys()
    assert all(0 < samples[name] <= 2 * totals[name]["samples"] for name in totals)
    stages = _metric(head.metrics_port, "ray_sgt_data_stage_seconds_count", "stage")
    assert {"read", "decode", "draw entity", "encode", "commit"} <= stages.keys()

    # what came of the clone: the code, and the manifest beside it
    (package,) = head.folder.glob("session_2*/runtime_resources/working_dir_files/_ray_pkg_*/")
    assert {path.name for path in package.iterdir()} == {*CODE, manifest.name}
    assert sum(path.stat().st_size for path in package.rglob("*") if path.is_file()) < 8 << 20

    stranger = {**head.environment, "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    refused = _client(head, clone, manifest.name, "--output", str(tmp_path / "never"),
                      name="never", environment=stranger)  # fmt: skip
    refused.communicate(timeout=150)
    assert refused.returncode != 0
    assert not (tmp_path / "never").exists()
