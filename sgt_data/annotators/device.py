"""Where a model runs, and in what arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version

from sgt_data.annotators.base import (
    Annotator,
    Device,
    Dtype,
    OutOfMemory,
    Setup,
)
from sgt_data.errors import RequestError

_EXTRA = "pip install 'sgt-data[annotate]'"


def set_up(config: Annotator) -> Setup:
    """Look at this machine and the weights: what `config` comes to here.

    Raises:
        RequestError: a package, the weights or the device is missing; nothing was loaded.
    """
    libraries = _versions(config)
    from sgt_data.annotators.torchvision_operators import provide_torchvision_operators

    provide_torchvision_operators()
    device = _device(config)
    path, revision = config.find_weights()
    dtype: Dtype = "float32" if device == "cpu" else "bfloat16"
    return Setup(
        device,
        device_class(device),
        dtype if config.dtype == "auto" else config.dtype,
        config.batch_size or (1 if device == "cpu" else config.gpu_batch),
        config.weights_digest(path),
        revision,
        libraries,
    )


def device_class(device: Device) -> str:
    """The kind of device; results are the same, bit for bit, only on one kind."""
    import torch

    if device == "cuda":
        return torch.cuda.get_device_name()
    return f"cpu {torch.backends.cpu.get_cpu_capability()}"


@contextmanager
def running(setup: Setup) -> Iterator[None]:
    """A forward pass: no gradients, one CPU thread (sums must not depend on how many there are);
    the ways in which a device says that it is out of memory become `OutOfMemory`."""
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


def _device(config: Annotator) -> Device:
    import torch

    if config.device == "cuda" and not torch.cuda.is_available():
        raise RequestError(
            f"annotators.{config.name}.device: found cuda, but torch {torch.__version__} sees no "
            "GPU here; use device: cpu, or install a CUDA build of torch on a machine with a GPU"
        )
    if config.device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return config.device


def _versions(config: Annotator) -> dict[str, str]:
    found = {}
    for name in ("torch", *config.libraries()):
        try:
            found[name] = version(name)
        except PackageNotFoundError as why:
            raise RequestError(
                f"annotators.{config.name}: the package {name} is not installed; {_EXTRA}"
            ) from why
    return found
