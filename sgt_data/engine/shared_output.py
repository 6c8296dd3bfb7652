"""Whether the nodes of a cluster and this machine see one output: a disk of its own on each node
would take the shards of that node, and no corpus would hold them all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, cast

import ray

from sgt_data.engine.node_facts import alive_nodes, host_of, on_node
from sgt_data.errors import RequestError
from sgt_data.files.unfinished import new_unfinished_file
from sgt_data.files.urls import is_local
from sgt_data.value_text import counted

_ANSWER_SECONDS = 60.0
_NAMED = 3


def check_nodes_share(output: str) -> None:
    """Check that every node of the connected cluster sees the output of this machine.

    Nothing is asked of an object store, nor of a cluster of one node. Nodes that join later are not
    asked: what they committed is looked for at the end (see `unseen_receipts`).

    Args:
        output: absolute URL of the folder.

    Raises:
        RequestError: a node does not; names it, and what to do.
        StorageError: the output cannot be written.
    """
    nodes = alive_nodes()
    if len(nodes) < 2 or not is_local(output):
        return
    # this machine writes and the nodes look: nothing is left on a disk that is not shared
    with new_unfinished_file(output) as place:
        answers = [(node, on_node(node, os.path.exists).remote(place)) for node in nodes]
        blind = [_name(node) for node, answer in answers if _is_blind(answer)]
    if blind:
        more = f" and {counted(len(blind) - _NAMED, 'more node')}" if len(blind) > _NAMED else ""
        raise RequestError(
            f"output: {output} lies on a disk of this machine, and {', '.join(blind[:_NAMED])}"
            f"{more} of the {len(nodes)} nodes of the cluster cannot see it. Give an --output on "
            "an object store (s3://..., gs://...), or mount one disk there on all nodes; nothing "
            "was built"
        )


def _is_blind(answer: Any) -> bool:
    """Whether a node said that it does not see the file; one that died says nothing."""
    try:
        return not cast(Any, ray).get(answer, timeout=_ANSWER_SECONDS)
    except (ray.exceptions.RayError, TimeoutError):
        return False


def _name(node: Mapping[str, Any]) -> str:
    return f"{host_of(node)} (node {node['NodeID'][:8]})"
