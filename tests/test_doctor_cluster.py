"""The doctor asks every node of a cluster, and names the node that lacks something."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from making import jpeg
from ray.cluster_utils import Cluster

from sgt_data import examine
from sgt_data.doctor.check import Check
from sgt_data.engine.node_facts import clock_difference
from sgt_data.manifest.manifest import parse_manifest

HERE = Path("/proc/self/cwd")
"""The folder in which a process runs: each node of the cluster below is started in another one, so
that one path leads to a disk of the node's own."""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of a cluster of two nodes, of which the first has pictures."""
    if not HERE.exists():
        pytest.skip("this system has no /proc")
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    (tmp_path / "first" / "pictures").mkdir()
    (tmp_path / "first" / "pictures" / "1.jpg").write_bytes(jpeg(64, 48))
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)  # as sessions of Ray of other tests set it
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))
    monkeypatch.chdir(tmp_path / "first")
    nodes = Cluster()
    try:
        nodes.add_node(num_cpus=1, include_dashboard=False)
        monkeypatch.chdir(tmp_path / "second")
        nodes.add_node(num_cpus=1)
        nodes.wait_for_nodes()
        monkeypatch.chdir(tmp_path / "first")
        yield nodes.address
    finally:
        ray.shutdown()
        nodes.shutdown()


def test_a_node_that_lacks_a_source_or_does_not_share_the_output_is_named(cluster: str) -> None:
    manifest = parse_manifest(
        {
            "name": "m",
            "sources": [{"type": "folder", "pictures": str(HERE / "pictures")}],
            "proxies": [{"type": "edge"}],
        }
    )
    examination = examine(manifest=manifest, output=HERE / "corpus", address=cluster)
    assert not examination.sound
    checks = {check.subject: check for check in examination.checks}
    host = os.uname().nodename
    assert checks["Ray"].text.endswith("2 nodes, 2 CPUs, 0 GPUs")
    assert {checks[f"node {host} ({number})"].state for number in (1, 2)} == {"good"}
    lacking = {check.subject: check for check in examination.checks if check.state == "lacks"}
    assert set(lacking) == {
        f"sources.folder.pictures, node {host} (2)",
        f"shared output, node {host} (2)",
    }
    missing = lacking[f"sources.folder.pictures, node {host} (2)"]
    assert missing.text == f"there is no {HERE}/pictures"
    assert all(
        "every node" in check.remedy or "all nodes" in check.remedy for check in lacking.values()
    )
    assert checks["access to Ray"].state == "note"
    assert list(Path.cwd().rglob("*doctor*")) == [], "what was written is deleted"


def test_clocks_differ_only_beyond_the_time_of_the_question() -> None:
    assert clock_difference(10.5, 10.0, 11.0) == 0.0
    assert clock_difference(13.0, 10.0, 11.0) == 2.0
    assert clock_difference(4.0, 10.0, 11.0) == -6.0


def test_every_place_of_a_manifest_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"x")
    manifest = parse_manifest(
        {
            "name": "m",
            "sources": [
                {"type": "tars", "name": "one", "tars": f"{tmp_path}/*.tar"},
                {"type": "tars", "name": "two", "tars": f"{tmp_path}/b_{{0..1}}.tar"},
                {
                    "type": "folder",
                    "name": "three",
                    "pictures": f"{tmp_path}/p",
                    "depth": f"{tmp_path}",
                },
            ],
            "proxies": [{"type": "edge"}],
        }
    )
    examination = examine(manifest=manifest, start_ray=False)
    found: dict[str, Check] = {check.subject: check for check in examination.checks}
    assert found["sources.one.tars"].state == "good"
    assert found["sources.two.tars"].text == f"there is no {tmp_path}/b_0.tar"
    assert found["sources.three.pictures"].state == "lacks"
    assert found["sources.three.depth"].state == "good"
    assert "mount the same disk" in found["sources.three.pictures"].remedy
