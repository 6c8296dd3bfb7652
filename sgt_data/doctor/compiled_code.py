"""Whether machine code is kept: where, and of how many of the compiled functions."""

from __future__ import annotations

from sgt_data.doctor.check import Check
from sgt_data.doctor.compile_now import compiled_functions
from sgt_data.machine_code_folders import VARIABLE, new_folder


def compiled_code_check() -> Check:
    """Where compiled code is kept; without it every process compiles anew."""
    folder, subject = new_folder(), "compiled code"
    functions = compiled_functions()
    kept = sum(function._cache.is_kept(function.targetctx.codegen()) for function in functions)
    share = f"{kept} of {len(functions)} functions"
    if kept == len(functions):
        return Check(subject, "good", share if folder is None else f"{share}; new code in {folder}")
    if folder is None:
        remedy = f"each process compiles anew, in half a minute: set {VARIABLE} to a folder"
        return Check(subject, "note", f"{share}, and no folder takes new code", remedy)
    remedy = "the first use compiles the rest; `sgt-data doctor --compile` does it now"
    return Check(subject, "note", f"{share}; new code in {folder}", remedy)
