"""Checks at run time of what functions are given and return: types by beartype, shapes by jaxtyping."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import is_dataclass
from typing import Any

import jaxtyping
from beartype import beartype

_with_shapes: Callable[..., Any] = jaxtyping.jaxtyped


def _checked(given: Any = None, *, typechecker: Callable[..., Any]) -> Any:
    """What the hook decorates with: beartype alone, which is much quicker, where no shape is written."""
    if given is None:
        return functools.partial(_checked, typechecker=typechecker)
    if _may_have_shapes(given):
        return _with_shapes(given, typechecker=typechecker)
    if not inspect.isclass(given):
        return beartype(given)
    if is_dataclass(given):
        given.__init__ = beartype(given.__init__)  # type: ignore[method-assign]
    return given


def _may_have_shapes(given: Any) -> bool:
    """Text may stand for a shape, or for what there is for type checkers alone: jaxtyping bears both."""
    functions = (
        [given.__init__] if inspect.isclass(given)
        else [given.fget, given.fset, given.fdel] if isinstance(given, property)
        else [inspect.unwrap(getattr(given, "__func__", given))]
    )  # fmt: skip
    hints = [hint for one in functions for hint in getattr(one, "__annotations__", {}).values()]
    return any(isinstance(hint, str) or "jaxtyping" in repr(hint) for hint in hints)


def install() -> None:
    """To be called before anything imports vidnas."""
    jaxtyping.jaxtyped = _checked  # type: ignore[assignment]
    jaxtyping.install_import_hook("vidnas", "beartype.beartype")
