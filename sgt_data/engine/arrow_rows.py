"""What travels between the stages of the graph, as Arrow rows: slices, shards, outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from sgt_data.engine.outcomes import CommittedShard, InputsDone, Outcome, OutputRefused
from sgt_data.engine.slice_tasks import SliceTask
from sgt_data.engine.stage_times import StageTimes
from sgt_data.engine.stages import ShardTask
from sgt_data.records import (
    FilePart,
    RawInput,
    RawShard,
    Slice,
    ZipMember,
)
from sgt_data.result import Failure

_MEMBER = pa.struct(
    [("path", pa.string())]
    + [(name, pa.int64()) for name in ("size", "packed", "crc", "method", "flags")]
)
_PART = pa.struct(
    [("url", pa.string()), ("start", pa.int64()), ("length", pa.int64()), ("member", _MEMBER)]
)
_TROUBLES = pa.map_(pa.string(), pa.int64())
_INPUT = pa.struct(
    [
        ("key", pa.string()),
        ("member", pa.string()),
        ("picture", pa.large_binary()),
        ("extras", pa.map_(pa.string(), pa.large_binary())),
        ("licence", pa.string()),
        ("problem", pa.string()),
        ("parts", pa.map_(pa.string(), _PART)),
        ("layer_bytes", pa.map_(pa.string(), pa.large_binary())),
        ("layer_problems", pa.map_(pa.string(), pa.string())),
    ]
)
SHARD = pa.schema(
    [
        ("failure", pa.string()),
        ("may_pass", pa.bool_()),
        ("part", pa.string()),
        ("troubles", _TROUBLES),
        ("name", pa.string()),
        ("slice", pa.string()),
        ("source", pa.string()),
        ("last", pa.bool_()),
        ("lost", pa.int64()),
        ("folders", pa.list_(pa.string())),
        ("excluded", pa.map_(pa.string(), pa.string())),
        ("times", pa.binary()),
        ("inputs", pa.list_(_INPUT)),
    ]
)
"""Rows between the stages: a shard, or where `failure` is not null what failed and why."""

OUTCOME = pa.schema(
    [
        ("refused", pa.string()),
        ("failure", pa.string()),
        ("may_pass", pa.bool_()),
        ("part", pa.string()),
        ("troubles", _TROUBLES),
        ("name", pa.string()),
        ("receipts", pa.list_(pa.binary())),
        ("key_hashes", pa.list_(pa.binary())),
        ("seconds", pa.float64()),
        ("times", pa.binary()),
        ("inputs", pa.int64()),
    ]
)
"""Rows after the last stage: a committed shard, what failed, why the output refused it, or where
`inputs` is not null how many inputs of a shard are done."""

_TASK = pa.schema(
    [
        ("source", pa.string()),
        ("name", pa.string()),
        ("payload", pa.large_binary()),
        ("rest", pa.binary()),
    ]
)


def task_row(task: SliceTask) -> pa.Table:
    """A slice's task as a table of one row."""
    piece = task.slice
    rest = {
        "shards": piece.shards,
        "pictures": piece.pictures,
        "nbytes": piece.nbytes,
        "folders": task.folders,
        "committed": task.committed,
        "excluded": task.excluded,
        "first_shards": task.first_shards,
    }
    columns = {
        "source": piece.source,
        "name": piece.name,
        "payload": piece.payload,
        "rest": orjson.dumps(rest),
    }
    return pa.Table.from_pylist([columns], schema=_TASK)


def task_of(row: Mapping[str, Any]) -> SliceTask:
    """The task that a row holds."""
    rest = orjson.loads(row["rest"])
    shards = None if rest["shards"] is None else tuple(rest["shards"])
    return SliceTask(
        Slice(row["source"], row["name"], row["payload"], shards, rest["pictures"], rest["nbytes"]),
        tuple(rest["folders"]),
        rest["committed"],
        rest["excluded"],
        rest["first_shards"],
    )


def shard_row(shard: ShardTask | Failure) -> pa.Table:
    """A shard that has been read, or a failure, as a table of one row."""
    if isinstance(shard, Failure):
        return failure_row(shard, SHARD)
    raw = shard.raw
    columns = {
        "name": raw.name,
        "slice": raw.slice,
        "source": raw.source,
        "last": raw.last,
        "lost": raw.lost,
        "folders": list(shard.folders),
        "excluded": list(shard.excluded.items()),
        "times": orjson.dumps(shard.times),
        "troubles": list(shard.troubles.items()),
    }
    table = pa.Table.from_pylist([columns], schema=SHARD)
    inputs = pa.ListArray.from_arrays([0, len(raw.inputs)], _inputs(raw.inputs))
    return table.set_column(SHARD.get_field_index("inputs"), SHARD.field("inputs"), inputs)


def shard_of(row: Mapping[str, Any]) -> ShardTask:
    """The shard that a row holds."""
    inputs = tuple(map(_input, row["inputs"]))
    raw = RawShard(row["name"], row["slice"], row["source"], inputs, row["last"], row["lost"])
    folders, excluded = tuple(row["folders"]), dict(row["excluded"])
    return ShardTask(raw, folders, excluded, _times(row), dict(row["troubles"]))


def outcome_row(outcome: Outcome) -> pa.Table:
    """An outcome as a table of one row."""
    if isinstance(outcome, Failure):
        return failure_row(outcome, OUTCOME)
    if isinstance(outcome, OutputRefused):
        return pa.Table.from_pylist([{"refused": outcome.message}], schema=OUTCOME)
    if isinstance(outcome, InputsDone):
        row = {"name": outcome.shard, "inputs": outcome.inputs}
        return pa.Table.from_pylist([row], schema=OUTCOME)
    columns = {
        "name": outcome.shard,
        "receipts": [orjson.dumps(receipt) for receipt in outcome.receipts],
        "key_hashes": [hashes.tobytes() for hashes in outcome.key_hashes],
        "seconds": outcome.seconds,
        "times": orjson.dumps(outcome.times),
        "troubles": list(outcome.troubles.items()),
    }
    return pa.Table.from_pylist([columns], schema=OUTCOME)


def outcome_of(row: Mapping[str, Any]) -> Outcome:
    """The outcome that a row holds."""
    if row["refused"] is not None:
        return OutputRefused(row["refused"])
    if row["failure"] is not None:
        return failure_of(row)
    if row["inputs"] is not None:
        return InputsDone(row["name"], row["inputs"])
    receipts = tuple(map(orjson.loads, row["receipts"]))
    hashes = tuple(np.frombuffer(data, np.uint64) for data in row["key_hashes"])
    times, troubles = _times(row), dict(row["troubles"])
    return CommittedShard(row["name"], receipts, row["seconds"], hashes, times, troubles)


def _times(row: Mapping[str, Any]) -> StageTimes:
    return StageTimes(**orjson.loads(row["times"]))


def failure_row(failure: Failure, schema: pa.Schema) -> pa.Table:
    """A failure as a table of one row, in the schema of shards or of outcomes."""
    columns = {
        "failure": failure.message, "part": failure.part, "may_pass": failure.may_pass
    }  # fmt: skip
    return pa.Table.from_pylist([columns], schema=schema)


def failure_of(row: Mapping[str, Any]) -> Failure:
    """The failure that a row holds."""
    return Failure(row["part"], row["failure"], may_pass=row["may_pass"])


def _inputs(inputs: Sequence[RawInput]) -> pa.StructArray:
    """Column by column: row by row, pyarrow looks at every object several times."""
    parts = [{role: asdict(part) for role, part in raw.parts.items()} for raw in inputs]
    arrays = [
        pa.array([raw.key for raw in inputs], pa.string()),
        pa.array([raw.member for raw in inputs], pa.string()),
        pa.array([raw.picture for raw in inputs], pa.large_binary()),
        _maps([raw.extras for raw in inputs], pa.large_binary()),
        pa.array([raw.licence for raw in inputs], pa.string()),
        pa.array([raw.problem for raw in inputs], pa.string()),
        _maps(parts, _PART),
        _maps([raw.layer_bytes for raw in inputs], pa.large_binary()),
        _maps([raw.layer_problems for raw in inputs], pa.string()),
    ]
    return pa.StructArray.from_arrays(arrays, fields=list(_INPUT))


def _maps(maps: Sequence[Mapping[str, Any]], kind: pa.DataType) -> pa.MapArray:
    entries = [entry for mapping in maps for entry in mapping.items()]
    return pa.MapArray.from_arrays(
        np.cumsum([0, *map(len, maps)]).astype(np.int32),
        pa.array([name for name, _ in entries], pa.string()),
        pa.array([value for _, value in entries], kind),
    )


def _input(row: Mapping[str, Any]) -> RawInput:
    parts = {role: _part(part) for role, part in row["parts"]}
    maps = {name: dict(row[name]) for name in ("extras", "layer_bytes", "layer_problems")}
    return RawInput(**{**row, **maps, "parts": parts})


def _part(row: Mapping[str, Any]) -> FilePart:
    member = row["member"]
    return FilePart(**{**row, "member": None if member is None else ZipMember(**member)})
