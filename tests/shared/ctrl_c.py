"""Ctrl-C ends the suite, also where the test under way lets vidnas catch it."""

import os
import signal
import socket

import pytest

# A suite that was started in the background would hand on to its children that Ctrl-C is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Python writes the number of every signal that comes into it, whoever handles the signal.
_arrived, _came = socket.socketpair()
for _end in (_arrived, _came):
    _end.setblocking(False)
signal.set_wakeup_fd(_came.fileno(), warn_on_full_buffer=False)
if hasattr(os, "register_at_fork"):  # a child's signals are its own
    os.register_at_fork(after_in_child=lambda: signal.set_wakeup_fd(-1))


def pytest_unconfigure() -> None:
    """Close what would be told as left open."""
    signal.set_wakeup_fd(-1)
    _arrived.close()
    _came.close()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """End the suite after a Ctrl-C, also where vidnas took it for its own, as it does during a run."""
    try:
        came = signal.SIGINT in _arrived.recv(1 << 16)
    except BlockingIOError:
        came = False
    if came and not item.get_closest_marker("sends_ctrl_c"):
        item.session.shouldstop = (
            f"Ctrl-C came during {item.nodeid}. If that test sends it itself, mark it sends_ctrl_c"
        )
