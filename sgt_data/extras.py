"""The extras of the package: which of them brings a library, and how to add it."""

from __future__ import annotations

from collections.abc import Mapping

from sgt_data.errors import RequestError

EXTRA_OF_LIBRARY: Mapping[str, str] = {
    "duckdb": "scale",
    "gcsfs": "gs",
    "huggingface_hub": "hub",
    "jinja2": "train",
    "kornia": "annotate",
    "matplotlib": "train",
    "s3fs": "s3",
    "safetensors": "annotate",
    "scipy": "score",
    "segment_anything": "annotate",
    "sklearn": "train",
    "tensorboard": "train",
    "threadpoolctl": "train",
    "tokenizers": "annotate",
    "torch": "train",
    "torchvision": "annotate",
    "transformers": "annotate",
}
"""By module of a library: the extra that brings it."""

EXTRA_OF_PROTOCOL: Mapping[str, str] = {
    "s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "hf": "hub",
}  # fmt: skip
"""By protocol of a URL: the extra that brings its backend."""


class LibraryMissing(RequestError, ImportError):
    """A library is not installed. The message names the extra that brings it.

    Whoever asks for a name of the package expects an `ImportError` where it cannot be imported.
    """


def install_hint(extra: str | None = None) -> str:
    """The command that adds an extra to an installed package, a wheel or a clone; or that brings
    the packages of the base up to date."""
    return f"pip install 'sgt-data[{extra}]'" if extra else "pip install --upgrade sgt-data"


def library_missing(why: ImportError) -> LibraryMissing | None:
    """The error to raise for a library that is not installed; None where no extra brings it.

    Args:
        why: what the import of the library raised.
    """
    library = (why.name or "").partition(".")[0]
    if library not in EXTRA_OF_LIBRARY:
        return None
    hint = install_hint(EXTRA_OF_LIBRARY[library])
    return LibraryMissing(f"this needs {library}, which is not installed: {hint}")
