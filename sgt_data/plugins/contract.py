"""What a class of own code must have, checked when it is registered: every problem at once."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any, ClassVar, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from sgt_data.errors import PluginError
from sgt_data.field_errors import right_words
from sgt_data.foreign_errors import in_words
from sgt_data.names import checked_layer, checked_name
from sgt_data.plugins.member import Member
from sgt_data.suggestions import did_you_mean
from sgt_data.value_text import cut

_LAYERS = ("layer", "annotated_layer", "needs")
_ABSENT = object()


def check_kind(kind: Any, base: type[Member], field: str, name: str | None = None) -> None:
    """Check a class of own code.

    Args:
        kind: what was registered.
        base: the base class that it must extend.
        field: that names it, for messages.
        name: by which it was registered; None where its own `type` is the name.

    Raises:
        PluginError: names file, class, and everything that is wrong.
    """
    if not isinstance(kind, type) or not issubclass(kind, base):
        what = f"class {kind.__name__}" if isinstance(kind, type) else f"{cut(kind)}"
        raise PluginError(
            f"{field}: found {what}; a {base.role} is a class that extends "
            f"{base.__module__}.{base.__name__}: class {_class_name(kind)}({base.__name__})"
        )
    problems = [*_attributes(kind, base), *_methods(kind, base), *_fields(kind, name)]
    if problems:
        raise PluginError(
            "\n".join([f"{field}: {_place(kind)}, class {kind.__name__}:", *problems])
        )


def _class_name(kind: Any) -> str:
    return str(getattr(kind, "__name__", "MyClass"))


def _place(kind: type[Member]) -> str:
    """File and line of a class."""
    path = (
        kind.own_file.path if kind.own_file else str(inspect.getsourcefile(kind) or kind.__module__)
    )
    try:
        return f"{path}, line {inspect.getsourcelines(kind)[1]}"
    except (OSError, TypeError):
        return path


def _attributes(kind: type[Member], base: type[Member]) -> Iterator[str]:
    """Facts of the class itself, which no manifest can change."""
    for name, hint in get_type_hints(base, include_extras=True).items():
        if get_origin(hint) is not ClassVar or name.startswith("_") or name in vars(Member):
            continue
        (type_wanted,) = hint.__args__
        words = _words_of(type_wanted)
        right = f"{name}: ClassVar[{words}] = {_example(name, words)}"
        if name in kind.model_fields:
            yield f"  {name} is a field, which a manifest sets; it belongs to the class: {right}"
            continue
        value = getattr(kind, name, _ABSENT)
        if value is _ABSENT:
            yield f"  {name} is missing: {right}"
        elif problem := _value_problem(name, value, type_wanted):
            yield f"  {name}: found {cut(value, 60)}; {problem}: {right}"


def _value_problem(name: str, value: Any, wanted: Any) -> str | None:
    try:
        TypeAdapter(wanted).validate_python(value)
        if name in _LAYERS:
            for layer in value if isinstance(value, frozenset | set | tuple | list) else [value]:
                if layer is not None:
                    checked_layer(layer)
    except ValidationError as why:
        return right_words(why)
    except ValueError as why:
        return in_words(why)
    return None


def _words_of(hint: Any) -> str:
    """A type as one writes it."""
    text = getattr(hint, "__name__", None) if isinstance(hint, type) else None
    text = str(hint) if text is None or getattr(hint, "__args__", None) else text
    return text.replace("typing.", "").replace("collections.abc.", "")


def _example(name: str, words: str) -> str:
    if words.startswith("Literal["):
        return words.removeprefix("Literal[").partition(",")[0].rstrip("]").replace("'", '"')
    if words.startswith("frozenset"):
        return 'frozenset({"..."})'
    return {"bool": "True", "float": "0.06", "int": "16"}.get(words, '"..."')


def _methods(kind: type[Member], base: type[Member]) -> Iterator[str]:
    for name, wanted in _overridable(base):
        right = _right_form(name, wanted)
        if name in kind.model_fields:
            yield f"  {name} is a field, which hides the method: {right}"
            continue
        written = inspect.getattr_static(kind, name)
        if written is not wanted:
            if problem := _form_problem(written, wanted):
                yield f"  {name} {problem}: {right}"
        elif name in base.to_write:
            near = did_you_mean(name, set(vars(kind)) - set(vars(base)))
            near = near.replace("did you mean", "is it what was meant by")
            yield f"  {name} is missing{near.rstrip()}: {right}"


def _overridable(base: type[Member]) -> Iterator[tuple[str, Any]]:
    """Names and definitions of the methods and properties that a subclass may write."""
    for name, written in vars(base).items():
        if (
            not name.startswith(("_", "model_"))
            and isinstance(written, property | classmethod | staticmethod)
        ) or (inspect.isfunction(written) and not name.startswith("_")):
            yield name, written


def _right_form(name: str, wanted: Any) -> str:
    """How a method is written, and what it does or returns."""
    if isinstance(wanted, property):
        function, head = wanted.fget, "@property "
    elif isinstance(wanted, classmethod):
        function, head = wanted.__func__, "@classmethod "
    else:
        function, head = wanted, ""
    signature = str(inspect.signature(function)).replace("'", "")  # type: ignore[arg-type]
    doc = (inspect.getdoc(function) or "").split("\n")[0]
    return f"`{head}def {name}{signature}`. {doc}"


def _form_problem(written: Any, wanted: Any) -> str | None:
    """Why a method cannot be called as that of the base class is."""
    kinds = {property: "a property", classmethod: "a classmethod", staticmethod: "a staticmethod"}
    have = next((words for form, words in kinds.items() if isinstance(written, form)), "a method")
    want = next((words for form, words in kinds.items() if isinstance(wanted, form)), "a method")
    if have == "a method" and not callable(written):
        return f"is {cut(written, 40)}, not {want}"
    if have != want:
        return f"is {have}; it must be {want}"
    if want == "a property":
        return None
    function = getattr(written, "__func__", written)
    if inspect.iscoroutinefunction(function):
        return "is async, and is called without await"
    if inspect.isgeneratorfunction(function) and "Iterator" not in str(
        inspect.signature(getattr(wanted, "__func__", wanted)).return_annotation
    ):
        return "yields; it must return"
    return _call_problem(function, getattr(wanted, "__func__", wanted))


def _call_problem(function: Any, wanted: Any) -> str | None:
    names = list(inspect.signature(wanted).parameters)
    try:
        signature = inspect.signature(function)
        signature.bind(*names)
    except (TypeError, ValueError):
        taken = ", ".join(inspect.signature(function).parameters)
        return f"takes ({taken}); it is called with ({', '.join(names)})"
    return None


def _fields(kind: type[Member], name: str | None) -> Iterator[str]:
    """Defaults of `type` and `name`, and what else pydantic does not refuse."""
    given = _default(kind, "type")
    wanted = name or (given if isinstance(given, str) else _type_like(kind))
    form = f'type: Literal["{wanted}"] = "{wanted}"'
    if not isinstance(given, str):
        yield f"  type has no default: {form}"
    elif name is not None and given != name:
        yield f"  type is {given!r}, and {name!r} is registered; both must be the same: {form}"
    elif name is None and not given.replace("_", "").replace("-", "").isalnum():
        yield f"  type is {cut(given, 40)}; it is a word of letters, digits and _: {form}"
    given = _default(kind, "name")
    example = wanted.replace("_", "-").lower()
    if given is None:
        yield f'  name has no default, for manifests that give none: name: str = "{example}"'
    else:
        try:
            checked_name(given)
        except (TypeError, ValueError) as why:
            yield f'  name is {cut(given, 40)}; {in_words(why)}: name: str = "{example}"'
    if "__init__" in vars(kind):
        yield "  __init__ is written; fields are named below the class instead: gain: float = 1.0"
    if kind.model_config.get("extra") != "forbid" or not kind.model_config.get("frozen"):
        yield (
            '  model_config is changed; extra="forbid" and frozen=True stay, so that a field that '
            "does not exist is refused"
        )


def _default(kind: type[Member], name: str) -> Any:
    """The default of a field; None where it has none."""
    field = kind.model_fields[name]
    return None if field.is_required() else field.get_default()


def _type_like(kind: type[Member]) -> str:
    """A type after the name of a class: `line_art` of `LineArtProxy`."""
    bare = re.sub(rf"{kind.role}$", "", kind.__name__, flags=re.IGNORECASE) or kind.__name__
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", bare).lower()
