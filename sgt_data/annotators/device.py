"""Devices: where the model of an annotator runs, and in what arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from sgt_data.annotators.base import (
    Annotator,
    Device,
    Dtype,
    OutOfMemory,
    Setup,
)
from sgt_data.errors import RequestError
from sgt_data.extras import install_hint
from sgt_data.plugins.own_code import mistake, own_code
from sgt_data.value_text import cut


def set_up(annotator: Annotator) -> Setup:
    """How an annotator runs on this machine. Looks at the device and the weights; loads nothing.

    Raises:
        RequestError: a package, the weights or the device is missing.
    """
    libraries = _versions(annotator)
    from sgt_data.annotators.torchvision_operators import provide_torchvision_operators

    provide_torchvision_operators()
    device = _device(annotator)
    path, revision = weights_of(annotator)
    dtype: Dtype = "float32" if device == "cpu" else "bfloat16"
    return Setup(
        device,
        device_class(device),
        dtype if annotator.dtype == "auto" else annotator.dtype,
        annotator.batch_size or (1 if device == "cpu" else annotator.gpu_batch),
        digest_of_weights(annotator, path),
        revision,
        libraries,
    )


def weights_of(annotator: Annotator) -> tuple[str, str | None]:
    """Local path of the weights of an annotator, and their revision.

    Raises:
        RequestError: the weights are missing or of another kind.
        OwnCodeError: own code made a mistake.
    """
    with own_code(annotator, "find_weights"):
        pair: Any = annotator.find_weights()
    if not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(pair[0], str):
        raise mistake(
            annotator, "find_weights", "before it is loaded",
            f"it returned {cut(pair, 60)}; right is (path, revision), such as (path, None); where "
            'there are no weights, the path is ""',
        )  # fmt: skip
    path, revision = pair
    return path, revision


def digest_of_weights(annotator: Annotator, path: str) -> str:
    """SHA-256 of the weights of an annotator.

    Raises:
        RequestError: it is not the digest that the manifest asks for.
        OwnCodeError: own code made a mistake.
    """
    with own_code(annotator, "weights_digest", path):
        digest: Any = annotator.weights_digest(path)
    if not isinstance(digest, str) or not digest:
        raise mistake(
            annotator, "weights_digest", path or "no weights",
            f"it returned {cut(digest, 60)}; right is the SHA-256 of the weights as a text "
            "(sgt_data.annotators.weights.digest_of), which belongs to the identity of the corpus",
        )  # fmt: skip
    return digest


def check_packages(annotator: Annotator) -> None:
    """Check that the packages of an annotator are installed on this machine; nothing is imported.

    Raises:
        RequestError: a package is missing; names the extra that brings it.
    """
    _versions(annotator)


def check_packages_and_files(annotator: Annotator) -> None:
    """Check what can be checked of an annotator without torch: its packages and its weights.

    Raises:
        RequestError: a package is missing, or the weights are missing or no weights.
    """
    _versions(annotator)
    weights_of(annotator)


def device_class(device: Device) -> str:
    """Kind of a device. Results are the same, bit for bit, on devices of one kind alone."""
    import torch

    if device == "cuda":
        return torch.cuda.get_device_name()
    return f"cpu {torch.backends.cpu.get_cpu_capability()}"


@contextmanager
def running(setup: Setup) -> Iterator[None]:
    """Context of a forward pass: no gradients, one CPU thread (sums depend on their number).

    Raises:
        OutOfMemory: the memory of the device is too small.
    """
    import torch

    threads = torch.get_num_threads()
    if setup.device == "cpu":
        torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            yield
    except torch.OutOfMemoryError as why:
        torch.cuda.empty_cache()
        raise OutOfMemory(str(why)) from why
    except RuntimeError as why:
        if "not enough memory" in str(why) or "can't allocate memory" in str(why):
            raise OutOfMemory(str(why)) from why
        raise
    finally:
        torch.set_num_threads(threads)


def _device(annotator: Annotator) -> Device:
    import torch

    if annotator.device == "cuda" and not torch.cuda.is_available():
        raise RequestError(
            f"annotators.{annotator.name}.device: found cuda, but torch {torch.__version__} sees "
            "no GPU here; use device: cpu, or install a CUDA build of torch on a machine with a GPU"
        )
    if annotator.device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return annotator.device


def _versions(annotator: Annotator) -> dict[str, str]:
    versions = {}
    for name in ("torch", *annotator.libraries()):
        try:
            versions[name] = version(name)
        except PackageNotFoundError as why:
            raise RequestError(
                f"annotators.{annotator.name}: the package {name} is not installed; "
                f"{install_hint('annotate')}"
            ) from why
    return versions
