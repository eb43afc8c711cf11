import pytest

from vidnas.report.pages import words


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0"), (7, "7"), (999, "999"), (999.6, "1.00 k"), (1000, "1.00 k"), (93_040, "93.0 k"),
     (377_533, "378 k"), (999_600, "1.00 M"), (10_733_568, "10.7 M"), (1.2e9, "1.20 G"), (3e12, "3.00 T")],
)  # fmt: skip
def test_quantities_have_three_digits(number: float, said: str) -> None:
    assert words.quantity(number).replace(words.NARROW, " ") == said


@pytest.mark.parametrize(
    ("sec", "said"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.4, "59 s"), (59.6, "1 min 0 s"),
     (3599.4, "59 min 59 s"), (3599.7, "1 h 0 min"), (90_000, "25 h 0 min")],
)  # fmt: skip
def test_durations_have_two_units(sec: float, said: str) -> None:
    assert words.duration(sec).replace(words.NARROW, " ") == said


def test_a_share_is_said_in_per_cent() -> None:
    assert words.percent(0.62149).replace(words.NARROW, " ") == "62.1 %"
    assert words.interval(0.4571, 0.7429).replace(words.NARROW, " ") == "45.7 to 74.3 %"
