"""Ctrl-C and SIGTERM while a step is under way."""

import signal
import threading

import pytest

from vidnas.errors import Interrupted
from vidnas.runs.stop import StopRequest

pytestmark = pytest.mark.sends_ctrl_c


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_waits_until_it_is_asked_for(
    sent: signal.Signals, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with StopRequest() as stop:
        stop.check()
        signal.raise_signal(sent)
        assert capsys.readouterr().err == "\nStopping after this step; Ctrl-C again stops at once.\n"
        with pytest.raises(Interrupted) as error:
            stop.check()
    assert error.value.exit_code == code


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_a_ctrl_c_after_a_first_signal_acts_at_once(first: signal.Signals) -> None:
    with StopRequest():
        signal.raise_signal(first)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_second_sigterm_waits_like_the_first() -> None:
    with StopRequest() as stop:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Interrupted):
            stop.check()


def test_afterwards_signals_do_what_they_did_before() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with StopRequest():
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] != before
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_what_a_part_did_not_act_on_is_left_to_the_whole() -> None:
    with StopRequest() as whole:
        with StopRequest():
            signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Interrupted) as error:
            whole.check()
    assert error.value.exit_code == 143


def test_outside_the_main_thread_it_does_nothing() -> None:
    """Where Python lets nobody catch signals, as in a notebook's server."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            with StopRequest() as stop:
                stop.check()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert errors == []
