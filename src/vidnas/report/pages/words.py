"""Numbers, times and names as a person reads them."""

from pathlib import PurePath

from vidnas.runs.records import Number

NARROW = "\u202f"
"""The space between a number and its unit: narrow, and never a line break."""


def percent(share: Number) -> str:
    """0.6217 -> 62.2 %."""
    return f"{100 * share:.1f}{NARROW}%"


def interval(low: Number, high: Number) -> str:
    """Two shares as a range in per cent."""
    return f"{100 * low:.1f} to {percent(high)}"


def quantity(number: Number, unit: str = "") -> str:
    """175047936 -> 175 M: three digits and a factor of a thousand."""
    for factor, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= 0.9995 * factor:
            return f"{number / factor:#.3g}".rstrip(".") + NARROW + letter + unit
    return f"{number:.3g}" + (NARROW + unit if unit else "")


def duration(sec: Number) -> str:
    """Seconds in the two largest units that suit."""
    if sec < 9.95:
        return f"{sec:.1f}{NARROW}s"
    if sec < 59.5:
        return f"{sec:.0f}{NARROW}s"
    whole = round(sec)
    for unit, smaller, size, small in (("h", "min", 3600, 60), ("min", "s", 60, 1)):
        if whole >= size:
            return f"{whole // size}{NARROW}{unit} {whole % size // small}{NARROW}{smaller}"
    raise AssertionError(f"{sec} s is neither short nor long")


def px(length: Number) -> str:
    """A length for SVG, to a tenth of a pixel."""
    return f"{length:.1f}".removesuffix(".0")


def base_name(path: str) -> str:
    """The last part of a path."""
    return PurePath(path).name or path
