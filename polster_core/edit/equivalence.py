"""Whether two versions of a module differ in nothing but a variable's name."""

from __future__ import annotations

import dis
import re
from collections import Counter
from types import CodeType

_JUMPS = frozenset((*dis.hasjrel, *dis.hasjabs))
_VARIABLES = frozenset((*dis.haslocal, *dis.hasfree))


def differ_in_name_only(one: bytes, other: bytes, old: str, new: str) -> bool:
    """Whether `other` is `one` with a local variable renamed from `old` to `new`.

    Compares what the compiler makes of them, which knows every rule of scopes: were a name caught
    by another scope or left behind in its own, it would be loaded in another way.
    """
    try:
        codes = [compile(data, "<module>", "exec", dont_inherit=True) for data in (one, other)]
    except SyntaxError:
        return False
    before, after = (_meaning(code, old, new) for code in codes)
    return before == after


def _meaning(code: CodeType, old: str, new: str) -> tuple[object, ...]:
    """Return what a code object does, with the old name taken for the new one."""
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    variables = (*code.co_varnames, *code.co_cellvars, *code.co_freevars)
    return (
        # The order of cells follows from their names, so that only their number is the same.
        Counter(_instruction(found, old, new) for found in dis.get_instructions(code)),
        Counter(new if name == old else name for name in variables),
        code.co_names,
        [_meaning(constant, old, new) for constant in inner],
    )


def _instruction(found: dis.Instruction, old: str, new: str) -> tuple[str, str]:
    if isinstance(found.argval, CodeType) or found.opcode in _JUMPS:
        return found.opname, ""
    if isinstance(found.argval, frozenset):
        return found.opname, repr(sorted(map(repr, found.argval)))
    if found.opcode in _VARIABLES or isinstance(found.argval, (str, tuple)):
        # Texts such as that of f"{orders=}", and the names of keyword arguments, count as names.
        return found.opname, re.sub(rf"\b{re.escape(old)}\b", new, repr(found.argval))
    return found.opname, repr(found.argval)
