"""An S3 server in this process: moto's, on a port of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import fsspec
import pytest


@contextmanager
def serving_s3() -> Iterator[tuple[str, Any]]:
    """URL of a server's endpoint, and the WSGI server inside, whose `app` may be wrapped."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}", server._server
    finally:
        server.stop()


@contextmanager
def s3_in_use() -> Iterator[Any]:
    """The WSGI server inside of a server that fsspec takes for S3 in the block."""
    with serving_s3() as (endpoint, inside), pytest.MonkeyPatch.context() as patch:
        settings = {"endpoint_url": endpoint, "key": "key", "secret": "secret"}
        patch.setitem(fsspec.config.conf, "s3", settings)
        try:
            yield inside
        finally:
            type(fsspec.filesystem("s3")).clear_instance_cache()


def new_bucket() -> str:
    """URL of an empty bucket: a server's buckets outlive it in this process."""
    name = f"bucket-{uuid.uuid4().hex}"
    fsspec.filesystem("s3").mkdir(name)
    return f"s3://{name}"
