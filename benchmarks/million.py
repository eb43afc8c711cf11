"""A list of a million clips from text to shuffled keys; no video is touched. data.py calls it.

usage: python benchmarks/million.py FOLDER

Writes the list into the folder; prints as JSON the seconds of each part and the peak memory beyond the
imports.
"""

import json
import sys
import time
from pathlib import Path

import measure
from vidnas.video.clips.loaders import ShuffledKeys
from vidnas.video.index.division import divide
from vidnas.video.index.groups import find_groups
from vidnas.video.index.labels import by_labels, listing_of, listing_of_parts
from vidnas.video.index.lists import read_list, read_text
from vidnas.video.index.tables import cut, read_header, read_rows, write_csv
from vidnas.video.items import Item, VideoIndex

MILLION = 1_000_000


def main() -> None:
    """Write the list, then go through it."""
    file = Path(sys.argv[1]) / "list.txt"
    with file.open("w") as lines:
        for n in range(MILLION):
            lines.write(
                f"class {n % 400}/v_Class{n % 400}_g{n // 400 % 25 + 1:02}_c{n // 10_000 + 1:02}.mp4 "
                f"{n % 400}\n"
            )
    measure.forget_peak()
    sec: dict[str, float] = {}
    before, start = measure.peak_bytes(), time.perf_counter()

    def lap(name: str) -> None:
        sec[name] = time.perf_counter() - start - sum(sec.values())

    listing = listing_of(read_list(file, []), (), file.parent)
    root = file.parent
    items = tuple(Item(root / clip.path, clip.label, clip.group) for clip in listing.train)
    classes = listing.classes
    del listing
    lap("parsed")
    items = find_groups(items, classes)
    train, test, _ = divide(items, classes=classes, by="group", fraction=0.25, seed=0)
    del items
    lap("divided by group")
    write_csv(VideoIndex(classes, train, test, ()), root / "index.csv", root=root)
    num_train = len(train)
    del train, test
    lap("saved")
    columns, _ = read_header(root / "index.csv")
    rows = cut(read_text(root / "index.csv"), root / "index.csv", columns.separator)
    again = listing_of_parts(read_rows(rows, columns, lambda _: False, named_by="")[0], by_labels)
    assert len(again.train) == num_train and len(again.train) + len(again.test) == MILLION
    lap("loaded")
    keys = ShuffledKeys(num_train, samples_per_epoch=num_train, seed=0)
    assert sum(1 for _ in keys) == num_train
    lap("shuffled")
    print(json.dumps({"sec": sec, "total_sec": sum(sec.values()), "bytes": measure.peak_bytes() - before}))


if __name__ == "__main__":
    main()
