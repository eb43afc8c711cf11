"""Which clips belong together, by their names: clips of one group are cut from one recording."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from vidnas.errors import UsageError, UserError
from vidnas.video.items import Item

# UCF101: v_<class>_g08_c01, perhaps with more behind it, as a processed clip has.
# HMDB51: <source>_<body part, camera, people, view, quality>_<clip>.
UCF101_NAME = re.compile(r".*_(g\d+)_c\d+.*")
HMDB51_NAME = re.compile(r"(.+_[fhul]_(?:nm|cm)_np\d+_(?:ba|fr|le|ri)_(?:bad|med|goo))_\d+")
# Jump_11_1: class, group, clip.
NUMBERED_NAME = re.compile(r"(.+)([_-])([^_-]+)\2\d+")


def marked_group(stem: str) -> str | None:
    """The group that a UCF101 or HMDB51 file name (without its suffix) states; None for other names."""
    match = UCF101_NAME.fullmatch(stem) or HMDB51_NAME.fullmatch(stem)
    return match[1] if match else None


def group_of(stem: str, class_name: str) -> str | None:
    """The group in a file name: as UCF101 or HMDB51 state it, or `daria` of `daria_bend` in class bend.

    Of a class that is a number nothing can stand before it: the 1 of `clip_1` is none of class 1.
    """
    marked = marked_group(stem)
    if marked is not None:
        return marked
    ending = f"_{class_name}"
    if class_name.isdecimal() or not stem.endswith(ending):
        return None
    return stem.removesuffix(ending) or None


def compile_group_regex(group_regex: str) -> re.Pattern[str]:
    """The pattern of --group-regex; UsageError where it is no regular expression or has no (...)."""
    try:
        pattern = re.compile(group_regex)
    except re.error as error:
        raise UsageError(f"--group-regex {group_regex!r} is not a regular expression: {error}") from error
    if pattern.groups == 0:
        raise UsageError(
            f"--group-regex {group_regex!r} has no (...) around the group, as in --group-regex '^(.+?)_'"
        )
    return pattern


def find_groups(
    items: Sequence[Item], classes: Sequence[str], group_regex: str | None = None
) -> tuple[Item, ...]:
    """Give items their groups: what a list states or the file name carries, or None.

    Names like `Jump_11_1` carry one where most names are such, and `worthless` finds nothing. A `group_regex`
    (its first group that matches is the group, searched in the name without its suffix) must find one in
    every name.
    """
    if group_regex is not None:
        pattern = compile_group_regex(group_regex)
        return tuple(replace(item, group=_matched_group(pattern, item.path)) for item in items)
    found = tuple(
        item if item.group else replace(item, group=group_of(item.path.stem, classes[item.label]))
        for item in items
    )
    if all(item.group for item in found):
        return found
    numbered = numbered_groups(found, classes)
    if not numbered or worthless(found, numbered):
        return found
    return tuple(
        item if item.group else replace(item, group=numbered.get(number)) for number, item in enumerate(found)
    )


def _matched_group(pattern: re.Pattern[str], path: Path) -> str:
    match = pattern.search(path.stem)
    group: str | None = next(filter(None, match.groups()), None) if match else None
    if group is None:
        raise UserError(
            f"--group-regex {pattern.pattern!r} finds no group in {path.stem!r}, the name of {path}. "
            "It must find one in every file name (without its suffix)."
        )
    return group


def numbered_groups(items: Sequence[Item], classes: Sequence[str]) -> Mapping[int, str]:
    """Number of an item -> its group, for names like `Jump_11_1`; none where not most names are such.

    What stands first must be the class, or else what most names of this class, and none of another, begin
    with.
    """
    matches = {number: NUMBERED_NAME.fullmatch(item.path.stem) for number, item in enumerate(items)}
    words = _class_words(items, classes, matches)
    groups = {
        number: match[3]
        for number, match in matches.items()
        if match and _plain(match[1]) in words[items[number].label]
    }
    return groups if 2 * len(groups) > len(items) else {}


def _class_words(
    items: Sequence[Item], classes: Sequence[str], matches: Mapping[int, re.Match[str] | None]
) -> Mapping[int, set[str]]:
    """What the names of each class may begin with."""
    words = {label: {_plain(name)} for label, name in enumerate(classes)}
    sizes = Counter(item.label for item in items)
    begins = Counter(
        (items[number].label, _plain(match[1])) for number, match in matches.items() if match is not None
    )
    owners = Counter(word for _, word in begins)
    for (label, word), count in begins.items():
        if owners[word] == 1 and 2 * count > sizes[label]:
            words[label].add(word)
    return words


def _plain(word: str) -> str:
    return "".join(filter(str.isalnum, word)).casefold()


def worthless(items: Sequence[Item], groups: Mapping[int, str]) -> str:
    """Why a division by these groups (by number of an item) would be none, in words; "" where it is one."""
    pairs = Counter((items[number].label, group) for number, group in groups.items())
    if len(pairs) == len({label for label, _ in pairs}):
        return "the same for all of a class"
    own = max(pairs.values()) == 1
    if own and (all(map(str.isdecimal, groups.values())) or len(set(groups.values())) == len(groups)):
        return "another one for every clip"
    return ""


def carried_by_most(items: Sequence[Item]) -> bool:
    """Whether most items, perhaps all, have a group."""
    return 2 * sum(item.group is not None for item in items) > len(items)


def without_group(items: Sequence[Item]) -> list[str]:
    """The names of those that have none."""
    return [item.path.name for item in items if item.group is None]


def rule_of(item: Item, classes: Sequence[str]) -> str:
    """The rule by which an item has its group, in words."""
    stem = item.path.stem
    if marked_group(stem) == item.group:
        return "as UCF101 names clips" if UCF101_NAME.fullmatch(stem) else "as HMDB51 names clips"
    if group_of(stem, classes[item.label]) == item.group:
        return "what stands before the class"
    match = NUMBERED_NAME.fullmatch(stem)
    if match and match[3] == item.group:
        return "what stands between the class and the number of the clip"
    return "as stated"


def regex_for_all(items: Sequence[Item], classes: Sequence[str]) -> str:
    """A --group-regex that finds the groups in the names that carry one, and takes the other names whole."""
    ends = "|".join(map(re.escape, classes))
    patterns = {
        "as UCF101 names clips": r"^.*_(g\d+)_c\d+",
        "as HMDB51 names clips": f"^{HMDB51_NAME.pattern}$",
        "what stands before the class": f"^(.+)_(?:{ends})$",
        "what stands between the class and the number of the clip": r"^.+[_-]([^_-]+)[_-]\d+$",
    }
    used = dict.fromkeys(rule_of(item, classes) for item in items if item.group is not None)
    return "|".join([*(patterns[rule] for rule in used if rule in patterns), "^(.+)$"])
