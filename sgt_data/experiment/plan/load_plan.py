"""Read a plan from a file, or one of the plans that come with the package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from sgt_data.errors import RequestError
from sgt_data.experiment.plan.experiment_plan import ExperimentKind, Plan, parse_plan
from sgt_data.files.urls import Location, plain


def load_plan(
    kind: ExperimentKind, path: Location | None, overrides: Sequence[str] | str = ()
) -> Plan:
    """Load a plan and apply `field=value` overrides to it.

    Args:
        kind: experiment whose shipped plan is taken where `path` is None.
        path: a YAML file, or the name of a shipped plan.
        overrides: changes of single fields, applied in order. Where they name proxies, a shipped
            plan leaves out none of them.

    Raises:
        RequestError: the file cannot be read or is no plan; names the field.
    """
    place = Path(kind) if path is None else Path(plain(path))
    if path is None or is_shipped_plan(place):
        plan = parse_plan(_shipped_file(place).read_text("utf-8"), overrides)
        leaves_out = plan.leave_out_missing and not _name_proxies(overrides)
        return replace(plan, leave_out_missing=leaves_out)
    try:
        text = place.read_bytes()
    except OSError as why:
        raise RequestError(f"{path} cannot be read: {why.strerror}") from why
    return parse_plan(text, overrides, str(path))


def is_shipped_plan(path: Path) -> bool:
    """Whether a path is the name of a shipped plan, and no file has that name."""
    return path.name == str(path) and not path.exists() and _shipped_file(path).is_file()


def _name_proxies(overrides: Sequence[str] | str) -> bool:
    """Whether any `field=value` override changes the plan's proxies."""
    overrides = [overrides] if isinstance(overrides, str) else overrides
    fields = (override.partition("=")[0].split(".")[0] for override in overrides)
    return "proxies" in fields


def _shipped_file(name: Path) -> Traversable:
    return files("sgt_data.experiment.plan") / "shipped" / f"{name}.yaml"
