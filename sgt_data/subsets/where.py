"""Choose keys by an expression in DuckDB's SQL over what the index says of them.

The expression is text from outside: it is one scalar expression over the columns of one table in
memory. The database has neither files nor network nor extensions, and takes no further settings.
Subqueries are refused, and so are functions whose value is not the same in every call
(`random()`, `now()`), as a subset must always be the same.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
from numpy.typing import NDArray

from sgt_data.errors import RequestError
from sgt_data.extras import install_hint
from sgt_data.value_text import cut

_SETTINGS = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "memory_limit": "2GB",
    "max_expression_depth": "250",
    "lock_configuration": "true",
}
_LENGTH_MAX = 10_000
_SECONDS_MAX = 300
_STABLE = "CONSISTENT"


def matching(expression: str, description: pa.Table) -> NDArray[np.bool_]:
    """The rows that an expression is true of: `[rows] bool`.

    Args:
        expression: such as `licence LIKE '%by/%' AND segments >= 4 AND 'dog' IN categories`.
        description: a row per key.

    Raises:
        RequestError: it is no such expression; names it and the columns of the table.
    """
    try:
        import duckdb
    except ImportError as why:
        raise RequestError(
            f"where: the expression needs duckdb, which is not installed: {install_hint('scale')}"
        ) from why

    def refused(why: str) -> RequestError:
        columns = ", ".join(f"{field.name} ({_type(field.type)})" for field in description.schema)
        return RequestError(f"where: {cut(expression, 400)}: {why}\n  columns: {columns}")

    if len(expression) > _LENGTH_MAX:
        raise refused(f"{len(expression)} characters; allowed: {_LENGTH_MAX}")
    with duckdb.connect(":memory:", config=dict(_SETTINGS)) as database:
        patience = threading.Timer(_SECONDS_MAX, database.interrupt)
        patience.start()
        try:
            _check(expression, set(description.column_names), database)
            numbered = description.append_column("#", pa.array(np.arange(len(description))))
            kept = database.from_arrow(numbered).filter(expression).project('"#"')
            rows = kept.fetchnumpy()["#"]
        except _Refused as why:
            raise refused(str(why)) from None
        except duckdb.Error as why:
            raise refused(str(why).partition("\n\nLINE")[0].strip()) from why
        finally:
            patience.cancel()
    matches = np.zeros(len(description), np.bool_)
    matches[np.asarray(rows, np.int64)] = True
    return matches


class _Refused(Exception):
    """The expression must not be run; the message says why."""


def _check(expression: str, columns: set[str], database: Any) -> None:
    """Look at the parsed expression before anything of it is run. Raises _Refused where it is not
    one expression, or looks beyond its row."""
    ((text,),) = database.execute(
        "SELECT json_serialize_sql(?)", [f"SELECT 1 WHERE {expression}\n"]
    ).fetchall()
    tree = orjson.loads(text)
    if tree["error"]:
        raise _Refused(tree["error_message"])
    if len(tree["statements"]) != 1:
        raise _Refused("it is more than one statement")
    node = tree["statements"][0]["node"]
    condition = node.pop("where_clause", None)
    ((empty,),) = database.execute("SELECT json_serialize_sql('SELECT 1')").fetchall()
    bare = orjson.loads(empty)["statements"][0]["node"]
    bare.pop("where_clause", None)
    if condition is None or _unplaced(node) != _unplaced(bare):
        raise _Refused("it is more than one expression")
    unstable = _unstable(database)
    for part in _parts(condition):
        if part.get("class") == "SUBQUERY":
            raise _Refused("subqueries are not allowed")
        name = str(part.get("function_name", "")).lower()
        if part.get("class") == "FUNCTION" and name in unstable:
            raise _Refused(f"{name}() is not the same whenever it is asked")
    lambdas = [part["lhs"] for part in _parts(condition) if part.get("class") == "LAMBDA"]
    known = columns | {name for parameters in lambdas for name in _columns(parameters)}
    for name in _columns(condition):
        if name not in known:  # or DuckDB would take current_date for a function
            raise _Refused(f"there is no column {name!r}")


def _unstable(database: Any) -> set[str]:
    """Names of the functions that a subset must not depend on, and of macros that call them."""
    rows = database.execute(
        "SELECT function_name, function_type, stability, macro_definition FROM duckdb_functions() "
        "WHERE function_type IN ('scalar', 'macro')"
    ).fetchall()
    functions = {
        name for name, kind, stability, _ in rows if kind == "scalar" and stability != _STABLE
    }
    forbidden = functions | {"select"}
    return functions | {
        name
        for name, kind, _, definition in rows
        if kind == "macro" and forbidden & set(re.findall(r"\w+", (definition or "").lower()))
    }


def _parts(tree: Any) -> Iterator[dict[str, Any]]:
    """Every object in a parsed expression, at any depth."""
    if isinstance(tree, dict):
        yield tree
    for below in tree.values() if isinstance(tree, dict) else tree:
        if isinstance(below, dict | list):
            yield from _parts(below)


def _columns(tree: Any) -> Iterator[str]:
    """Names of the columns that an expression refers to."""
    for part in _parts(tree):
        if part.get("class") == "COLUMN_REF":
            yield str(part["column_names"][-1]).lower()


def _unplaced(tree: Any) -> Any:
    """A parsed statement without the places in its text."""
    if isinstance(tree, dict):
        return {
            name: _unplaced(below)
            for name, below in tree.items()
            if not name.startswith("query_location")
        }
    return list(map(_unplaced, tree)) if isinstance(tree, list) else tree


def _type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return "list of text"
    return "text" if pa.types.is_string(kind) else "number"
