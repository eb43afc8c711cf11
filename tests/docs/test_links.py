"""Links in the docs lead somewhere, and the flags and names in the text exist."""

import re
from pathlib import Path

import pytest

from vidnas.cli.main import VERBS
from vidnas.config import data, learning, views

OTHER_PROGRAMS = ("--shm-size", "--logdir")
"""Flags in the docs that are not vidnas's."""


def anchors(page: str) -> set[str]:
    """What a heading is called in a link, by GitHub's rule."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", page, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_within_the_repository_leads_somewhere(pages: dict[str, str], repository: Path) -> None:
    lost = []
    for name, page in pages.items():
        for target in re.findall(r"\]\(([^)\s]+)\)", page):
            if re.match(r"https?:", target):
                continue
            path, _, anchor = target.partition("#")
            file = (repository / name).parent / path if path else repository / name
            linked = pages.get(file.resolve().relative_to(repository).as_posix(), "")
            if not file.exists() or (anchor and anchor not in anchors(linked)):
                lost.append(f"{name}: {target}")
    assert lost == []


def test_every_flag_in_the_text_is_one(pages: dict[str, str]) -> None:
    settings = [
        kind
        for module in (learning, data, views)
        for name, kind in vars(module).items()
        if name.endswith("Config")
    ]
    known = {f"--{field.replace('_', '-')}" for kind in settings for field in kind.__dataclass_fields__}
    known |= {f"--no-{flag[2:]}" for flag in known}
    known |= {"--preset", "--resume", "--help", "--debug", "--version", *OTHER_PROGRAMS}
    for name in ("README.md", "docs/guide.md", "docs/troubleshooting.md"):
        text = re.sub(r"\]\([^)]*\)", "]", pages[name])
        used = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", text))
        assert used - known == set(), name


@pytest.mark.parametrize("name", ["docs/guide.md", "docs/troubleshooting.md", "README.md"])
def test_every_verb_in_the_text_is_one(name: str, pages: dict[str, str]) -> None:
    used = re.findall(r"`(?:[A-Z_]+=\w+ )?vidnas ([a-z]\w*)", pages[name])
    assert set(used) <= set(VERBS)


@pytest.mark.parametrize("name", ["docs/concordance.md", "docs/contributing.md", "docs/oracles.md"])
def test_every_file_of_the_repository_in_the_text_is_there(
    name: str, pages: dict[str, str], repository: Path
) -> None:
    named = re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.py|tests/[a-z_/]+)`", pages[name])
    assert named
    roots = (repository, repository / "src" / "vidnas")
    assert [file for file in named if not any((root / file).exists() for root in roots)] == []


def test_every_test_that_proves_something_is_there(pages: dict[str, str], repository: Path) -> None:
    named = set(re.findall(r"`(test_\w+)`", pages["docs/oracles.md"]))
    code = "\n".join(file.read_text() for file in (repository / "tests").rglob("test_*.py"))
    assert named and named - set(re.findall(r"^def (test_\w+)", code, re.M)) == set()
