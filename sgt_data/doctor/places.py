"""Storage: whether an output can be written, and whether the Hub knows this person."""

from __future__ import annotations

import time
import uuid
from importlib.util import find_spec

from sgt_data.doctor.check import Check
from sgt_data.errors import RequestError, SourceError, StorageError
from sgt_data.files.reading import exists, read_bytes
from sgt_data.files.unfinished import TEMPORARY
from sgt_data.files.urls import join
from sgt_data.files.writing import delete, write_atomic
from sgt_data.redaction import without_secrets


def written_and_read(root: str) -> Check:
    """Whether a file can be written, read and deleted below a URL from this process."""
    place = join(root, f"{TEMPORARY}doctor-{uuid.uuid4().hex}")
    shown = without_secrets(root)
    began = time.monotonic()
    try:
        write_atomic(place, b"written by sgt-data doctor")
        same = read_bytes(place) == b"written by sgt-data doctor"
        delete(place)
    except (RequestError, SourceError, StorageError, OSError, ImportError) as why:
        remedy = "check the rights and the name; for object stores the keys in the environment too"
        return Check("output", "lacks", f"{shown}: {without_secrets(str(why))}", remedy)
    seconds = time.monotonic() - began
    if not same:
        return Check("output", "lacks", f"{shown} gives back other bytes than were written")
    return Check("output", "good", f"{shown} can be written and read ({seconds:.2f} s)")


def shared_output_check(written: str) -> Check:
    """Whether this process sees a file below the output that another one has written.

    Args:
        written: URL of the file.
    """
    try:
        if exists(written):
            return Check("shared output", "good", "what another node wrote is seen here")
        problem = f"what another node wrote to {without_secrets(written)} is not there"
    except (SourceError, OSError) as why:
        problem = without_secrets(str(why))
    remedy = "give an --output that all nodes share: an object store, or a disk mounted on each"
    return Check("shared output", "lacks", problem, remedy)


def hub_check() -> Check:
    """Whether a token of the Hugging Face Hub is there. It is neither shown nor sent."""
    if find_spec("huggingface_hub") is None:
        return Check("Hub token", "good", "not looked for: the extra hub is not installed")
    from huggingface_hub import get_token

    if get_token() is None:
        return Check("Hub token", "note", "none; push and private data need it", "hf auth login")
    return Check("Hub token", "good", "there is one")
