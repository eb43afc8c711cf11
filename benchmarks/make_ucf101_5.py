"""Makes ucf101_5 of UCF101: five classes, the first three clips of each group, and their official lists.

python benchmarks/make_ucf101_5.py /path/to/UCF-101 /path/to/ucfTrainTestlist ucf101_5
"""

import argparse
import re
import shutil
from itertools import groupby
from pathlib import Path

CLASSES = ("BodyWeightSquats", "BoxingPunchingBag", "JugglingBalls", "JumpingJack", "Lunges")
CLIPS_OF_A_GROUP = 3


def main() -> None:
    """Copy the clips and write the lists."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", type=Path, help="folder with a folder of each class")
    parser.add_argument("lists", type=Path, help="folder of classInd.txt, trainlist01.txt, ...")
    parser.add_argument("out", type=Path, help="new folder")
    args = parser.parse_args()
    make(args.clips, args.lists, args.out)


def make(clips: Path, lists: Path, out: Path) -> None:
    """Write `out`: videos/CLASS/CLIP, classInd.txt, trainlist0K.txt and testlist0K.txt, labels from 1."""
    kept = chosen([f"{name}/{clip.name}" for name in CLASSES for clip in (clips / name).glob("*.avi")])
    for name in CLASSES:
        (out / "videos" / name).mkdir(parents=True)
    for clip in kept:
        shutil.copyfile(clips / clip, out / "videos" / clip)
    labels = {name: label for label, name in enumerate(CLASSES, start=1)}
    (out / "classInd.txt").write_text("".join(f"{label} {name}\n" for name, label in labels.items()))
    for source in sorted(lists.glob("t*list0[123].txt")):
        listed = [line.split()[0] for line in source.read_text().splitlines() if line.strip()]
        lines = [f"{clip} {labels[clip.split('/')[0]]}\n" for clip in listed if clip in kept]
        (out / source.name).write_text("".join(lines))


def chosen(clips: list[str]) -> set[str]:
    """The first clips by name of each group; a name is CLASS/v_CLASS_gNN_cNN.avi."""
    groups = groupby(sorted(clips), key=lambda clip: re.sub(r"_c\d+\.avi$", "", clip))
    return {clip for _, group in groups for clip in list(group)[:CLIPS_OF_A_GROUP]}


if __name__ == "__main__":
    main()
