"""Start a Ray on this machine with the processes that work on shards needs, and no others.

`ray.init` also starts a monitor, which adds machines; an API server, for the dashboard; a reader of
logs; and an agent for metrics. A build on one machine uses none of them. Each takes a second of a
core just when the workers start, and Ray waits for two of them before it starts the first worker.
No argument of `ray.init` refuses them, so they are refused where it hands its arguments on.
"""

from __future__ import annotations

import inspect
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from ray import _raylet
from ray._private import node, parameter, utils

from sgt_data.engine.replaced import replaced

_NO_PORT = -1
"""Ray's number for a service that does not run."""


@contextmanager
def few_processes() -> Iterator[None]:
    """In the block, `ray.init` starts no process but those that work needs.

    A version of Ray that has other names for them starts all, as it does by itself.
    """
    settings = {"no_monitor": True, "include_log_monitor": False, **_ports()}
    known = inspect.signature(parameter.RayParams).parameters
    make: Any = parameter.RayParams
    start_raylet: Any = node.Node.start_raylet

    def start_without_waiting(ray_node: Any, *arguments: object) -> None:
        """Say at once what the agent would say, once it is up: that it takes no questions."""
        core: Any = _raylet
        port_name = core.DASHBOARD_AGENT_LISTEN_PORT_NAME
        core.persist_port(ray_node._session_dir, ray_node._node_id, port_name, _NO_PORT)
        start_raylet(ray_node, *arguments)

    changes: tuple[tuple[Any, str, Any], ...] = (
        (parameter, "RayParams", lambda **given: make(**{**given, **settings})),
        (node.Node, "start_api_server", _start_nothing),
        (node.Node, "start_raylet", start_without_waiting),
        (utils, "get_dashboard_dependency_error", _no_dashboard),
    )
    is_known = set(settings) <= set(known) and hasattr(_raylet, "persist_port")
    with replaced(changes if is_known else ()):
        yield


def _start_nothing(*_: object, **__: object) -> None:
    """In place of Ray's start of its API server."""


def _no_dashboard() -> str:
    """In place of Ray's look for packages of its dashboard: its agent then runs without metrics."""
    return "no dashboard is wanted"


def _ports() -> dict[str, int]:
    """Ports for Ray's agents: Ray waits for those that an agent is to choose. Without metrics only
    the agent of environments listens on its port."""
    names = ("metrics_agent_port", "metrics_export_port", "runtime_env_agent_port")
    with ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket()) for _ in names]
        for each in sockets:
            each.bind(("", 0))
        return {name: each.getsockname()[1] for name, each in zip(names, sockets, strict=True)}
