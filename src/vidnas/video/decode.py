"""Video file -> frames: the only file that imports the decoder (PyAV).

Frames are counted by decoding, because the counts in containers lie, and found by decoding from the start,
because seeking returns wrong frames in AVI files with B-frames. Scanning and reading share one loop, so
they agree on which frame has which number. Everything runs in the calling thread.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from vidnas.errors import UserError
from vidnas.shapes import Frames


@dataclass(frozen=True)
class VideoInfo:
    """What decoding a file once tells: `num_frames` is how many frames it really holds.

    `width_px` and `height_px` are the first frame's. `duration_sec` is 0 where the file states no frame rate.
    """

    num_frames: int
    width_px: int
    height_px: int
    duration_sec: float


def scan_video(path: Path) -> VideoInfo:
    """Decode every frame of a file once, converting none.

    A file that merely ends early counts the frames before its end. UserError names a file that is
    unreadable, has no video or no frame in it, or is damaged before its end.
    """
    with _open_video(path) as (container, stream):
        width_px = height_px = num_frames = 0
        for frame in _decode(container, stream, path):
            if num_frames == 0:
                width_px, height_px = frame.width, frame.height
            num_frames += 1
        rate = stream.average_rate or stream.guessed_rate
    if num_frames == 0:
        raise UserError(f"{path} holds no frame that can be decoded. Replace the file or take it out.")
    duration_sec = float(num_frames / rate) if rate else 0.0
    return VideoInfo(num_frames, width_px, height_px, duration_sec)


def decode_frames(path: Path, indices: Sequence[int], *, short_side_px: int | None) -> Frames:
    """The frames numbered `indices` (ascending from 0, repeats allowed), RGB.

    Decodes up to the last of them. Only they are resized, bilinearly and keeping the aspect, until the
    short side is `short_side_px`; None leaves their size alone. UserError if the file ends before.
    """
    wanted, last = frozenset(indices), indices[-1]
    images: dict[int, np.ndarray] = {}
    size: tuple[int, int] | None = None
    reformatter = VideoReformatter()
    with _open_video(path) as source, closing(_decode(*source, path)) as frames:
        for index, frame in enumerate(frames):
            if index in wanted:
                # Some files change their size midway; a clip has the size of its first frame.
                size = size or _scaled_size(frame, short_side_px)
                images[index] = _to_rgb(frame, size, reformatter)
            if index == last:
                return np.stack([images[index] for index in indices])
    raise UserError(
        f"{path} ends before frame {last}, which was there when the videos were scanned. "
        "Start again, so that the changed file is scanned anew."
    )


@contextmanager
def _open_video(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The file and its video stream, ready to decode in this thread; UserError if there is none."""
    try:
        # Titles in another encoding than UTF-8 are no reason to refuse a video.
        container = av.open(str(path.absolute()), metadata_errors="ignore")
    except av.FFmpegError as error:
        empty = path.is_file() and path.stat().st_size == 0
        cause = "it is empty (0 bytes)" if empty else error.strerror
        raise UserError(
            f"{path} cannot be opened as a video: {cause}. Replace the file or take it out."
        ) from error
    with container:
        # FFmpeg renders plain text as a video, and holds a song's cover picture for one.
        streams = [] if container.format.name == "tty" else container.streams.video
        streams = [stream for stream in streams if not stream.disposition & Disposition.attached_pic]
        if not streams:
            raise UserError(f"{path} has no video stream. Replace the file or take it out.")
        stream = streams[0]
        stream.thread_type = "NONE"
        stream.codec_context.thread_count = 1
        yield container, stream


def _decode(
    container: InputContainer, stream: VideoStream, path: Path
) -> Generator[av.VideoFrame, None, None]:
    """Every frame in the order of display; UserError says how many came before a damaged place."""
    num_frames = 0
    try:
        # The last packet is empty: it makes the decoder give out the frames it held back for reordering.
        for packet in container.demux(stream):
            # A packet cut off by the end of the file: the file is short, not damaged.
            if packet.is_corrupt:
                continue
            for frame in packet.decode():
                yield frame
                num_frames += 1
    except av.FFmpegError as error:
        raise UserError(
            f"{path} is damaged: {error.strerror} after {num_frames} readable frames. "
            "Replace the file or take it out."
        ) from error


def _scaled_size(frame: av.VideoFrame, short_side_px: int | None) -> tuple[int, int]:
    """Width and height with the given short side and the frame's aspect."""
    scale = 1.0 if short_side_px is None else short_side_px / min(frame.width, frame.height)
    return round(frame.width * scale), round(frame.height * scale)


def _to_rgb(frame: av.VideoFrame, size: tuple[int, int], reformatter: VideoReformatter) -> np.ndarray:
    width_px, height_px = size
    # One thread: by default each frame would start one per core, which costs more than the scaling.
    image = reformatter.reformat(
        frame, width=width_px, height=height_px, format="rgb24", interpolation="BILINEAR", threads=1
    )
    return image.to_ndarray()
