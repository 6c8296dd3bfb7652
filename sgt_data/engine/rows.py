"""What travels between the stages of the graph, as Arrow rows: slices, shards, outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from sgt_data.engine.plan import SliceTask
from sgt_data.engine.tasks import (
    Outcome,
    OutputRefused,
    ShardOutcome,
    ShardTask,
    SliceFailure,
)
from sgt_data.records import (
    FilePart,
    RawInput,
    RawShard,
    Slice,
)

_PART = pa.struct([("url", pa.string()), ("start", pa.int64()), ("length", pa.int64())])
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
        ("name", pa.string()),
        ("slice", pa.string()),
        ("source", pa.string()),
        ("last", pa.bool_()),
        ("folders", pa.list_(pa.string())),
        ("excluded", pa.map_(pa.string(), pa.string())),
        ("inputs", pa.list_(_INPUT)),
    ]
)
_TASK = pa.schema(
    [
        ("source", pa.string()),
        ("name", pa.string()),
        ("payload", pa.large_binary()),
        ("rest", pa.binary()),
    ]
)
OUTCOME = pa.schema(
    [
        ("refused", pa.string()),
        ("failure", pa.string()),
        ("name", pa.string()),
        ("slice", pa.string()),
        ("source", pa.string()),
        ("receipts", pa.list_(pa.binary())),
        ("key_hashes", pa.binary()),
        ("seconds", pa.float64()),
    ]
)


def outcome_row(done: Outcome) -> pa.Table:
    if isinstance(done, SliceFailure):
        return failure_row(done, OUTCOME)
    if isinstance(done, OutputRefused):
        return pa.Table.from_pylist([{"refused": done.message}], schema=OUTCOME)
    receipts = [orjson.dumps(receipt) for receipt in done.receipts]
    columns = {
        "name": done.shard,
        "receipts": receipts,
        "key_hashes": done.key_hashes.tobytes(),
        "seconds": done.seconds,
    }
    return pa.Table.from_pylist([columns], schema=OUTCOME)


def task_row(task: SliceTask) -> pa.Table:
    piece = task.slice
    rest = {
        "shards": piece.shards,
        "pictures": piece.pictures,
        "nbytes": piece.nbytes,
        "folders": task.folders,
        "committed": task.committed,
        "excluded": task.excluded,
    }
    columns = {
        "source": piece.source,
        "name": piece.name,
        "payload": piece.payload,
        "rest": orjson.dumps(rest),
    }
    return pa.Table.from_pylist([columns], schema=_TASK)


def task_of(row: dict[str, Any]) -> SliceTask:
    rest = orjson.loads(row["rest"])
    shards = None if rest["shards"] is None else tuple(rest["shards"])
    return SliceTask(
        Slice(row["source"], row["name"], row["payload"], shards, rest["pictures"], rest["nbytes"]),
        tuple(rest["folders"]),
        rest["committed"],
        rest["excluded"],
    )


def shard_row(shard: ShardTask | SliceFailure) -> pa.Table:
    if isinstance(shard, SliceFailure):
        return failure_row(shard, SHARD)
    raw = shard.raw
    columns = {
        "name": raw.name,
        "slice": raw.slice,
        "source": raw.source,
        "last": raw.last,
        "folders": list(shard.folders),
        "excluded": list(shard.excluded.items()),
    }
    table = pa.Table.from_pylist([columns], schema=SHARD)
    inputs = pa.ListArray.from_arrays([0, len(raw.inputs)], _inputs(raw.inputs))
    return table.set_column(SHARD.get_field_index("inputs"), SHARD.field("inputs"), inputs)


def _inputs(inputs: Sequence[RawInput]) -> pa.StructArray:
    """Column by column: row by row, pyarrow looks at every object several times."""
    arrays = [
        pa.array([one.key for one in inputs], pa.string()),
        pa.array([one.member for one in inputs], pa.string()),
        pa.array([one.picture for one in inputs], pa.large_binary()),
        _maps([one.extras for one in inputs], pa.large_binary()),
        pa.array([one.licence for one in inputs], pa.string()),
        pa.array([one.problem for one in inputs], pa.string()),
        _maps([{role: asdict(part) for role, part in one.parts.items()} for one in inputs], _PART),
        _maps([one.layer_bytes for one in inputs], pa.large_binary()),
        _maps([one.layer_problems for one in inputs], pa.string()),
    ]
    return pa.StructArray.from_arrays(arrays, fields=list(_INPUT))


def _maps(maps: Sequence[Mapping[str, Any]], kind: pa.DataType) -> pa.MapArray:
    entries = [entry for one in maps for entry in one.items()]
    return pa.MapArray.from_arrays(
        np.cumsum([0, *map(len, maps)]).astype(np.int32),
        pa.array([name for name, _ in entries], pa.string()),
        pa.array([value for _, value in entries], kind),
    )


def shard_of(row: dict[str, Any]) -> ShardTask:
    inputs = tuple(_input(one) for one in row["inputs"])
    raw = RawShard(row["name"], row["slice"], row["source"], inputs, row["last"])
    return ShardTask(raw, tuple(row["folders"]), dict(row["excluded"]))


def _input(row: dict[str, Any]) -> RawInput:
    parts = {role: FilePart(**part) for role, part in row["parts"]}
    maps = {name: dict(row[name]) for name in ("extras", "layer_bytes", "layer_problems")}
    return RawInput(**{**row, **maps, "parts": parts})


def failure_row(failure: SliceFailure, schema: pa.Schema) -> pa.Table:
    columns = {"failure": failure.message, "slice": failure.slice, "source": failure.source}
    return pa.Table.from_pylist([columns], schema=schema)


def outcome_of(row: dict[str, Any]) -> Outcome:
    if row["refused"] is not None:
        return OutputRefused(row["refused"])
    if row["failure"] is not None:
        return SliceFailure(row["source"], row["slice"], row["failure"])
    receipts = tuple(orjson.loads(receipt) for receipt in row["receipts"])
    hashes = np.frombuffer(row["key_hashes"], np.uint64)
    return ShardOutcome(row["name"], receipts, row["seconds"], hashes)
