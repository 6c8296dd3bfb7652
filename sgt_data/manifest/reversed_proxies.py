"""The proxies of a manifest that reverse others: each is given the one that it names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sgt_data.proxies.base import Proxy
from sgt_data.proxies.generate import GenerateProxy, base_problem, with_name


def with_reversed_names(entries: Any) -> Any:
    """The list `proxies` of a manifest, in which reversed proxies have their default names."""
    if not isinstance(entries, list | tuple):
        return entries
    return [
        with_name(entry) if isinstance(entry, dict) and entry.get("type") == "generate" else entry
        for entry in entries
    ]


def with_bases(proxies: Sequence[Proxy | None], problems: list[str]) -> list[Proxy | None]:
    """The proxies of a manifest, of which the reversed ones know what they reverse.

    Args:
        proxies: None for each that cannot be used.
        problems: takes what is wrong with the names of bases.
    """
    by_name = {proxy.name: proxy for proxy in proxies if proxy is not None}
    reversible = [name for name, proxy in by_name.items() if not isinstance(proxy, GenerateProxy)]
    bound: list[Proxy | None] = []
    for index, proxy in enumerate(proxies):
        if isinstance(proxy, GenerateProxy):
            base = by_name.get(proxy.of)
            problem = base_problem(proxy, base, reversible)
            if base is None and None in proxies:  # its base may be the one with the mistake
                problem = None
            if problem:
                problems.append(f"  proxies.{index}.of: {problem}")
            elif base is not None:
                proxy = proxy.bound_to(base)
        bound.append(proxy)
    return bound
