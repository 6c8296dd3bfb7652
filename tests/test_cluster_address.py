"""A cluster that does not answer is named in time, with what to check."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from sgt_data.engine.cluster import Cluster
from sgt_data.engine.cluster_probe import check_cluster, host_and_port
from sgt_data.errors import BuildError, RequestError


@contextmanager
def server(answer: bytes | None) -> Iterator[str]:
    """A port that accepts; it answers with some bytes and closes, or stays silent (None)."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def serve() -> None:
            held = []
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                held.append(connection)
                if answer is not None:
                    connection.recv(64)
                    connection.sendall(answer)
                    connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def closed_port() -> str:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("scheme", ["", "ray://"])
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "no answer in time"),
        (b"", "closed without an answer"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "what answers is no Ray"),
    ],
)
def test_a_port_that_is_no_cluster_is_named_by_the_deadline(
    answer: bytes | None, words: str, scheme: str
) -> None:
    with server(answer) as place:
        with pytest.raises(BuildError, match=words) as caught:
            check_cluster(scheme + place, 0.4)
        assert f"no Ray cluster answers at {scheme}{place}" in str(caught.value)
        assert "ray status" in str(caught.value)


def test_a_closed_port_and_an_unknown_host_are_named_at_once() -> None:
    began = time.monotonic()
    with pytest.raises(BuildError, match="Connection refused"):
        check_cluster(closed_port(), 300)
    with pytest.raises(BuildError, match=r"no Ray cluster answers at no-such-host\.invalid:6379"):
        check_cluster("no-such-host.invalid:6379", 300)
    assert time.monotonic() - began < 250


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("head:6379", ("head", 6379)),
        ("ray://head:10001", ("head", 10001)),
        ("ray://head", ("head", 10001)),
        ("ray://[::1]", ("::1", 10001)),
        ("[::1]:6379", ("::1", 6379)),
    ],
)
def test_addresses_are_read_as_ray_writes_them(address: str, place: tuple[str, int]) -> None:
    assert host_and_port(address) == place


@pytest.mark.parametrize(
    "address", ["head", "head:", ":6379", "head:x", "head:0", "head:99999", "http://head/", ""]
)
def test_an_address_of_another_form_is_refused_before_anything_begins(address: str) -> None:
    with pytest.raises(RequestError, match="allowed: host:port"):
        Cluster(address)


@pytest.mark.slow
@pytest.mark.parametrize("is_auto", [True, False])
def test_work_on_a_dead_cluster_ends_with_its_address(is_auto: bool) -> None:
    place = closed_port()
    address = "auto" if is_auto else place
    code = (
        "from sgt_data.engine.cluster import Cluster\n"
        "from sgt_data.engine.ray_session import ray_session\n"
        f"with ray_session(Cluster({address!r}, connect_seconds=5)): pass"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False,
        env=os.environ | {"RAY_ADDRESS": place},
    )  # fmt: skip
    assert done.returncode == 1
    assert "no Ray cluster answers at " in done.stderr
    assert place.rpartition(":")[2] in done.stderr


@pytest.mark.slow
def test_a_live_cluster_answers_the_probe() -> None:
    code = (
        "import ray\n"
        "from sgt_data.engine.cluster_probe import check_cluster\n"
        "context = ray.init(address='local', num_cpus=1, include_dashboard=False)\n"
        "check_cluster(context.address_info['gcs_address'], 60)\n"
        "print('answered')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False
    )
    assert "answered" in done.stdout, done.stderr
