"""The troubleshooting page quotes vidnas: every message there stands in its code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from vidnas.errors import plural

NOT_OURS = ("python3 -m venv", "make", "vidnas: command not found", "Killed", "Bus error")
"""What the page's headings name beside messages of vidnas."""


def texts(source: str) -> Iterator[str]:
    """Every string in the code as it is put together, each value in an f-string as `...`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(map(part_of_text, node.values))


def part_of_text(part: ast.expr) -> str:
    """Of an f-string: text as it stands, a value as `...`; of a count what is counted is text, too."""
    if isinstance(part, ast.Constant):
        return str(part.value)
    match part:
        case ast.FormattedValue(value=ast.Call(func=ast.Name(id="counted"), args=[_, ast.Constant() as one])):
            return f"... {plural(str(one.value))}"
        case ast.FormattedValue(value=ast.Call(func=ast.Name(id="are"))):
            return "are"
    return "..."


@pytest.fixture(scope="module")
def said(repository: Path) -> list[str]:
    """What vidnas and its Makefile can say."""
    files = sorted((repository / "src" / "vidnas").rglob("*.py"))
    assert files
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    return [text for file in files for text in texts(file.read_text(encoding="utf-8"))] + [makefile]


@pytest.fixture(scope="module")
def quoted(pages: dict[str, str]) -> list[str]:
    """The lines of text blocks and the code in headings."""
    page = pages["docs/troubleshooting.md"]
    lines = [
        line
        for block in re.findall(r"^```text\n(.*?)^```$", page, re.M | re.S)
        for line in block.splitlines()
    ]
    headings = [code for line in re.findall(r"^#+ .*", page, re.M) for code in re.findall(r"`([^`]+)`", line)]
    found = lines + [code for code in headings if code not in NOT_OURS]
    assert len(found) > 40
    return found


def is_said(quote: str, said: list[str]) -> bool:
    """Whether the quote, its `...` standing for anything, is in one text."""
    pattern = re.compile(".*".join(re.escape(part.strip()) for part in quote.split("...")), re.DOTALL)
    return any(pattern.search(text) for text in said)


def test_every_quoted_message_stands_in_the_code(quoted: list[str], said: list[str]) -> None:
    assert "\n".join(quote for quote in quoted if not is_said(quote, said)) == ""


def test_every_quote_says_enough_to_be_found(quoted: list[str]) -> None:
    """A quote of `...` alone would agree with anything."""
    assert [quote for quote in quoted if len(quote.replace("...", "").strip()) < 12] == []


def test_a_message_that_is_not_in_the_code_is_noticed(said: list[str]) -> None:
    assert not is_said("The run in ... was begun with other shoes: ...", said)
