"""What `--data` holds: its layout recognised, its videos listed as they are given."""

from dataclasses import replace

from vidnas.errors import UsageError, UserError
from vidnas.video.index.faults import Fault, NoData, require_none
from vidnas.video.index.layouts import ACCEPTED, LAYOUT_OF, LAYOUTS, Layout
from vidnas.video.index.listfiles import lists_of
from vidnas.video.index.located import Contents
from vidnas.video.index.partlists import csv_files, meant_as_lists
from vidnas.video.index.sources import Source, require_there
from vidnas.video.stores.footage import store_of
from vidnas.video.stores.tree import Tree


def read_contents(source: Source) -> Contents:
    """What is in the data; UserError or UsageError where that is no data set at all."""
    require_there(source.data, source.test_list, source.roots)
    stores = {folder: store_of(folder) for folder in (source.data, *source.roots)}
    whole = [f"{folder} is {store.name}" for folder, store in stores.items() if store.layout]
    if source.roots and whole:
        raise UsageError(f"--roots goes with videos, but {whole[0]}. Pack all of them into one.")
    try:
        contents = _read_file(source) if source.data.is_file() else _read_folder(source)
    except NoData as error:
        raise UserError(f"{error} {ACCEPTED}") from error
    if contents.faults:
        absent = [Fault(one.where, f"{one.what} is missing.") for one in contents.missing]
        require_none((*contents.faults, *absent), contents.lists)
    return contents


def _read_file(source: Source) -> Contents:
    """A list or a CSV file, perhaps with one of test videos."""
    layout = _layout_of_file(source)
    if layout.read_lists is None:
        *most, last = (one.name for one in LAYOUTS if one.read_lists)
        raise UsageError(
            f"--layout {layout.name} is one of folders, but {source.data} is a file: {', '.join(most)} or "
            f"{last}."
        )
    if source.split != 1:
        raise UsageError(f"--split {source.split} goes with official lists in a folder, not with a file.")
    files = {"": source.data}
    if source.test_list is not None:
        files = {"train": source.data, "test": source.test_list}
    return layout.read_lists(source, lists_of(files, source.roots))


def _layout_of_file(source: Source) -> Layout:
    if source.layout != "auto":
        return LAYOUT_OF[source.layout]
    return next((layout for layout in LAYOUTS if layout.owns(source.data)), LAYOUT_OF["list"])


def _open_folder(source: Source) -> tuple[Tree, Layout]:
    """What lies below the data, and how it is to be read: a pack as the data were that it was made of."""
    store = store_of(source.data)
    tree = store.tree(source.data)
    if store.layout is None:
        return tree, _layout_of_folder(source, tree) if source.layout == "auto" else LAYOUT_OF[source.layout]
    name = store.layout(source.data)
    if source.layout not in ("auto", name):
        raise UsageError(f"--layout {source.layout}: {source.data} is {store.name} of data read as {name}.")
    return tree, LAYOUT_OF.get(name, Layout(name=name))  # of a later version


def _read_folder(source: Source) -> Contents:
    tree, layout = _open_folder(source)
    if source.split != 1 and layout.splits is None:
        raise UsageError(
            f"--split {source.split}: {source.data} has no lists trainlist0K.txt and testlist0K.txt to "
            "choose from."
        )
    index = store_of(source.data).index
    if index is not None and layout.splits is None:
        return Contents(index(source.data))
    if layout.read is None:
        raise UsageError(f"--layout {layout.name} is one of files, but {source.data} is a folder.")
    if source.columns is not None and layout.read_lists is None:
        raise UsageError(f"--columns goes with a list, but none is read of the folder {source.data}.")
    return layout.read(source, tree)


def _layout_of_folder(source: Source, tree: Tree) -> Layout:
    """By what is there; UserError where that is more than one thing.

    Who names columns means the CSV file or the list in it, if there is one.
    """
    if source.columns is not None and not csv_files(tree) and meant_as_lists(tree):
        return LAYOUT_OF["list"]
    found: dict[str, str] = {}
    for rank in sorted({layout.rank for layout in LAYOUTS}):
        found = {one.name: what for one in LAYOUTS if one.rank == rank and (what := one.signs(tree))}
        if found:
            break
    if len(found) > 1:
        told = "; ".join(f"{what} (--layout {name})" for name, what in found.items())
        raise UserError(f"--data {tree.root} can be read in {len(found)} ways. Say which one: {told}.")
    return LAYOUT_OF[next(iter(found), "videos")]


def read_every_split(source: Source) -> tuple[Contents, Layout]:
    """What is in the data with all of its official splits, each clip once, and how it was read."""
    require_there(source.data, source.test_list, source.roots)
    if source.data.is_file():
        return read_contents(source), _layout_of_file(source)
    tree, layout = _open_folder(source)
    if layout.splits is None:
        return read_contents(source), layout
    splits = layout.splits(tree) or [source.split]
    every = [read_contents(replace(source, split=split)) for split in splits]
    items = {item.path: item for one in every for item in (*one.index.train, *one.index.test)}
    lists = dict.fromkeys(path for one in every for path in one.lists)
    missing = dict.fromkeys(name for one in every for name in one.missing)
    index = replace(every[0].index, train=tuple(items.values()), test=())
    beside = [path for name in layout.beside if (path := source.data / name).is_file()]
    return Contents(index, (*lists, *beside), tuple(missing)), layout
