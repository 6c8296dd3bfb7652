"""Choose keys by an expression in DuckDB's SQL over what the index says of them.

The expression is text from outside: it is one scalar expression over the columns of one table in
memory. The database has neither files nor network nor extensions, and takes no further settings.
Subqueries are refused, and so are functions whose value is not the same in every call
(`random()`, `now()`), as a subset must always be the same.

What an expression may take of memory and time is bounded by `bounded_condition`: the database's own
limit counts its buffers, but not the texts that functions make.
"""

from __future__ import annotations

import re
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
    "memory_limit": "512MB",
    "threads": "1",
    "temp_directory": "",
    "max_expression_depth": "250",
    "lock_configuration": "true",
}
_LENGTH_MAX = 10_000
_STABLE = "CONSISTENT"


class Condition:
    """An expression over columns, looked at in a database of its own."""

    def __init__(self, expression: str, columns: pa.Schema) -> None:
        """
        Args:
            expression: such as `licence LIKE '%by/%' AND segments >= 4 AND 'dog' IN categories`.
            columns: those that it may name, with their types.

        Raises:
            RequestError: it is no such expression; names it and the columns. Or DuckDB is not
                installed.
        """
        try:
            import duckdb
        except ImportError as why:
            raise RequestError(
                f"where: the expression needs duckdb, which is not installed: "
                f"{install_hint('scale')}"
            ) from why
        self._expression, self._columns, self._duckdb = expression, columns, duckdb
        if len(expression) > _LENGTH_MAX:
            raise self._refused(f"{len(expression)} characters; allowed: {_LENGTH_MAX}")
        self._database = duckdb.connect(":memory:", config=dict(_SETTINGS))
        try:
            _check(expression, set(columns.names), self._database)
        except (_Refused, duckdb.Error) as why:
            self._database.close()
            raise self._refused(_first_part(why)) from why

    def matching(self, description: pa.Table) -> NDArray[np.bool_]:
        """The rows that the expression is true of: `[rows] bool`.

        Args:
            description: rows of the columns.

        Raises:
            RequestError: it cannot be looked at; names it and the columns.
            MemoryError: it needs more memory than the database may take.
        """
        numbered = description.append_column("#", pa.array(np.arange(len(description))))
        try:
            kept = self._database.from_arrow(numbered).filter(self._expression).project('"#"')
            rows = kept.fetchnumpy()["#"]
        except self._duckdb.OutOfMemoryException as why:
            raise MemoryError(str(why)) from None
        except self._duckdb.Error as why:
            raise self._refused(_first_part(why)) from why
        matches = np.zeros(len(description), np.bool_)
        matches[np.asarray(rows, np.int64)] = True
        return matches

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _refused(self, why: str) -> RequestError:
        columns = ", ".join(f"{field.name} ({_type(field.type)})" for field in self._columns)
        return RequestError(f"where: {cut(self._expression, 400)}: {why}\n  columns: {columns}")


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


def _first_part(why: Exception) -> str:
    """A message of the database, without the place in the text that it points at."""
    return str(why).partition("\n\nLINE")[0].strip()


def _type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return "list of text"
    return "text" if pa.types.is_string(kind) else "number"
