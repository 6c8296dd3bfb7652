"""Configurations of runs that come with the package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Literal

Stage = Literal["pretrain"]
"""A kind of run with a configuration of its own: `pretrain` makes what experiments begin with."""


def shipped_config(stage: Stage) -> Path:
    """The YAML file of a stage."""
    return Path(str(files("sgt_data.training") / "shipped" / f"{stage}.yaml"))
