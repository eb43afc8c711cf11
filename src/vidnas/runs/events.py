"""TensorBoard's event files, written at once.

PyTorch's SummaryWriter, which is built on the same modules, writes in a thread: what goes wrong there comes
late and with a traceback, and the loaders fork their workers beside it.
"""

import time
from collections.abc import Mapping
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event  # type: ignore[import-untyped]
from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore[import-untyped]
from tensorboard.summary.writer.record_writer import RecordWriter  # type: ignore[import-untyped]


def new_event_file(folder: Path) -> Path:
    """Begin an event file without points; OSError where the disk refuses."""
    folder.mkdir(exist_ok=True)  # a network file system keeps a folder while somebody reads in it
    file = folder / f"events.out.tfevents.{time.time_ns()}"  # another each time: TensorBoard may be reading
    _append(file, [Event(wall_time=time.time(), file_version="brain.Event:2")])
    return file


def add_points(file: Path, values: Mapping[str, float], *, step: int, wall_time: float) -> None:
    """Add the point (step, value) to every tag in `values`; OSError where the disk refuses."""
    summaries = (Summary(value=[Summary.Value(tag=tag, simple_value=value)]) for tag, value in values.items())
    _append(file, [Event(wall_time=wall_time, step=step, summary=summary) for summary in summaries])


def _append(file: Path, events: list[Event]) -> None:
    with file.open("ab") as opened:
        records = RecordWriter(opened)
        for event in events:
            records.write(event.SerializeToString())
