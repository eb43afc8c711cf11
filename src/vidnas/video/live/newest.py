"""The newest frames of a live source, kept by a thread, and the windows that are due."""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Condition, Event, Thread
from types import TracebackType

import av
import numpy as np

from vidnas.errors import UserError
from vidnas.shapes import Frames
from vidnas.video.live.stream import Player, open_source, shown_source
from vidnas.video.stores.upright import FrameScaler

_SAME_SEC = 1e-6  # times of frames are sums of rounded steps


@dataclass(frozen=True)
class LiveWindow:
    """The scaled frames of the last seconds, up to `end_sec` of stream time."""

    end_sec: float
    frames: Frames


class NewestFrames:
    """A context in which a thread reads `source` and keeps its last `window_sec` seconds, scaled.

    Memory holds no more than those frames, and the one that was shown as they began. `num_windows_dropped`
    and `num_frames_dropped` count what came too late: windows that were due while an earlier one was being
    looked at, and frames that were not decoded.
    """

    def __init__(
        self, source: str, *, window_sec: float, short_side_px: int, stall_sec: float = 10.0
    ) -> None:
        self.num_windows_dropped = 0
        self._source = source
        self._window_sec = window_sec
        self._short_side_px = short_side_px
        self._stall_sec = stall_sec
        self._player: Player | None = None
        self._frame_sec = 0.0  # how long the player takes a frame to last whose next one has not come
        self._kept: deque[tuple[float, np.ndarray]] = deque()
        self._heard = time.monotonic()
        self._ended = False
        self._error: Exception | None = None
        self._news = Condition()  # guards the four above
        self._stop = Event()
        # A daemon, because a read of a silent pipe cannot be broken off.
        self._thread = Thread(target=self._read, name="live source", daemon=True)

    def __enter__(self) -> "NewestFrames":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=1.0)

    @property
    def num_frames_dropped(self) -> int:
        """Frames that came late or damaged and were not decoded."""
        return self._player.num_dropped if self._player else 0

    def windows(self) -> Iterator[LiveWindow]:
        """A window every half of its length, the newest one at the time when it is asked for.

        Of a stream that ends before a window is full, what there is. UserError where the source cannot be
        opened, fails, or brings no frame for `stall_sec`.
        """
        due_sec, hop_sec = self._window_sec, self._window_sec / 2
        while self._wait_for(due_sec):
            window = self._newest()
            missed = int((window.end_sec - due_sec + _SAME_SEC) / hop_sec)
            self.num_windows_dropped += missed
            due_sec += (1 + missed) * hop_sec
            yield window
        if due_sec == self._window_sec and self._kept and self._error is None:
            yield self._newest()
        if self._error is not None:
            raise self._error

    def _wait_for(self, due_sec: float) -> bool:
        """Wait until that stream time; False if the source ends before."""
        with self._news:
            while not (self._kept and self._kept[-1][0] >= due_sec - _SAME_SEC):
                if self._ended:
                    return False
                patience_sec = self._heard + self._stall_sec - time.monotonic()
                if patience_sec <= 0:
                    raise self._stalled()
                self._news.wait(patience_sec)
            return True

    def _newest(self) -> LiveWindow:
        with self._news:
            return LiveWindow(self._kept[-1][0], np.stack([image for _, image in self._kept]))

    def _stalled(self) -> UserError:
        name = shown_source(self._source)
        return UserError(
            f"No frame came from {name} for {self._stall_sec:g} s. Check that the sender still runs."
        )

    def _read(self) -> None:
        """What the thread does; an error is kept for the thread that asks for windows."""
        try:
            with open_source(self._source, timeout_sec=self._stall_sec) as source:
                self._frame_sec = 1 / source.rate
                self._player = Player(source, sleep=self._stop.wait)
                scaler = FrameScaler(self._short_side_px, source.aspect)
                for end_sec, frame in self._player.frames():
                    if self._stop.is_set():
                        return
                    self._keep(end_sec, scaler(frame))
        except (av.ExitError, av.TimeoutError):  # the decoder's own patience is as long as ours
            self._error = self._stalled()
        except av.FFmpegError as error:
            name = shown_source(self._source)
            self._error = UserError(f"The stream from {name} broke off: {error.strerror}.")
        except Exception as error:
            self._error = error
        finally:
            with self._news:
                self._ended = True
                self._news.notify_all()

    def _keep(self, end_sec: float, image: np.ndarray) -> None:
        with self._news:
            self._kept.append((end_sec, image))
            begin_sec = end_sec - self._window_sec + _SAME_SEC
            # A frame is shown until the next one starts, however long that takes.
            while len(self._kept) > 1 and self._kept[1][0] - self._frame_sec <= begin_sec:
                self._kept.popleft()
            self._heard = time.monotonic()
            self._news.notify_all()
