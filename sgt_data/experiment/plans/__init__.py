"""The plans that are shipped, and those of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from sgt_data.errors import RequestError
from sgt_data.experiment.arms import Kind, Plan, parse_plan


def plan_of(kind: Kind, path: Path | None, overrides: Sequence[str] = ()) -> Plan:
    """A plan from a file, or the shipped one of an experiment, with `field=value` overrides.

    Raises:
        RequestError: there is no such file, or it is no plan; names the field.
    """
    if path is None:
        return parse_plan((files(__name__) / f"{kind}.yaml").read_text("utf-8"), overrides)
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as why:
        raise RequestError(f"{path} is no plan: {why}") from why
    return parse_plan(text, overrides)


def names_proxies(overrides: Sequence[str]) -> bool:
    """Whether they say which proxies are meant."""
    return any(one.partition("=")[0].split(".")[0] == "proxies" for one in overrides)
