"""GPUs as torch sees them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from sgt_data.doctor.check import Check
from sgt_data.progress_text import size_text


def accelerator_checks() -> Iterator[Check]:
    """Findings on torch and the GPUs of this machine."""
    has_driver = Path("/proc/driver/nvidia/version").exists()
    if find_spec("torch") is None:
        seen = "an NVIDIA driver" if has_driver else "no NVIDIA driver"
        yield Check("GPU", "good", f"torch is not installed; {seen}")
        return
    import torch

    if not torch.cuda.is_available():
        text = f"torch {torch.__version__} sees none"
        remedy = "install a CUDA build of torch: https://pytorch.org/get-started" * has_driver
        yield Check("GPU", "note" if has_driver else "good", text, remedy)
        return
    bf16 = "bfloat16" if torch.cuda.is_bf16_supported() else "no bfloat16: set dtype: float32"
    for number in range(torch.cuda.device_count()):
        device = torch.cuda.get_device_properties(number)
        text = f"{device.name}, {size_text(device.total_memory)}, {bf16}"
        yield Check(f"GPU {number}", "good", f"{text}, torch {torch.__version__}")
