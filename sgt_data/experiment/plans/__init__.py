"""The plans that are shipped, and those of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from sgt_data.errors import RequestError
from sgt_data.experiment.arms import Kind, Plan, parse_plan


def plan_of(kind: Kind, path: Path | None, overrides: Sequence[str] = ()) -> Plan:
    """A plan from a file, or a shipped one, with `field=value` overrides.

    Args:
        path: of a file, or the name of a shipped plan; None for the one that an experiment has.

    Raises:
        RequestError: there is no such file, or it is no plan; names the field.
    """
    if path is None or is_shipped(path):
        return parse_plan(_shipped(path or Path(kind)).read_text("utf-8"), overrides)
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as why:
        raise RequestError(f"{path} is no plan: {why}") from why
    return parse_plan(text, overrides)


def is_shipped(path: Path) -> bool:
    """Whether a shipped plan is named, and no file."""
    return path.name == str(path) and not path.exists() and _shipped(path).is_file()


def _shipped(name: Path) -> Traversable:
    return files(__name__) / f"{name}.yaml"


def names_proxies(overrides: Sequence[str]) -> bool:
    """Whether they say which proxies are meant."""
    return any(one.partition("=")[0].split(".")[0] == "proxies" for one in overrides)
