import base64
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vidnas.report.pages.render import _environment, render_overview, render_run
from vidnas.report.pages.view import epoch_table
from vidnas.runs.read import read_run

MakeRun = Callable[..., Path]
Parse = Callable[[str], Any]

MOST_BYTES = 500_000
EVIL = '<script>alert("1")</script>'
EVIL_CLASSES = (EVIL, "'quoted' & \"double\"", "</style><img src=x onerror=alert(1)>")


@pytest.fixture
def page(parsed: Parse) -> Callable[[Path], Any]:
    """The parsed page of a run folder."""
    return lambda folder: parsed(render_run(read_run(folder)))


@pytest.fixture(scope="module")
def pages(make_search: MakeRun, make_training: MakeRun, add_evaluation: MakeRun) -> dict[str, str]:
    """Every kind of page."""
    trained, evaluated = make_training("trained"), make_training("evaluated")
    add_evaluation(evaluated)
    folders = [make_search(), make_search("begun", done=0), make_search("going", done=2), trained, evaluated]
    folders.append(make_training("untrained", done=0))
    runs = [read_run(folder) for folder in folders]
    found = {run.name: render_run(run) for run in runs}
    found["live"] = render_run(runs[2], live=True)
    found["overview"] = render_overview([(run, f"{run.name}/report.html") for run in runs])
    return found


def test_a_page_loads_nothing_from_anywhere(pages: dict[str, str], parsed: Parse) -> None:
    for name, html in pages.items():
        for tag, attributes in parsed(html).elements:
            for attribute in ("src", "href", "data", "action", "srcset"):
                target = attributes.get(attribute) or "data:"
                assert target.startswith("data:") or (name, tag) == ("overview", "a"), (name, tag, target)
        assert not re.search(r"url\(|@import|https?://", html), name
        assert parsed(html).all("link") == [{"rel": "icon", "href": "data:,"}]  # or browsers ask for one
        policy = parsed(html).all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
        assert "default-src 'none'" in policy
        assert ("connect-src" in policy) == (name == "live")


def test_every_picture_and_every_chart_has_words_for_it(pages: dict[str, str], parsed: Parse) -> None:
    for html in pages.values():
        page = parsed(html)
        assert all(image["alt"] for image in page.all("img"))
        drawings = page.all("svg")
        assert [one for one in drawings if one.get("role") != "img" or not one.get("aria-label")] == []
    assert len(parsed(pages["evaluated"]).all("img")) == 4
    assert len(parsed(pages["trained"]).all("svg")) == 5


def test_every_page_says_that_vidnas_made_it_early_on(pages: dict[str, str]) -> None:
    for html in pages.values():
        assert '<meta name="generator" content="vidnas report' in html[:400]


def test_names_are_never_taken_for_markup(
    make_training: MakeRun, add_evaluation: MakeRun, parsed: Parse, make_search: MakeRun
) -> None:
    folder = make_training(f"{EVIL[:8]} & '\"", classes=EVIL_CLASSES, data=EVIL, genotype=EVIL)
    add_evaluation(folder, label=EVIL, path=f"videos/{EVIL}.avi", data=EVIL)
    (folder / "log.txt").write_text(EVIL)
    (folder / "versions.json").write_text(json.dumps({EVIL: EVIL}))
    run = read_run(folder)
    for html in (render_run(run), render_overview([(run, "a.html")])):
        page = parsed(html)
        assert EVIL not in html
        assert len(page.all("script")) <= 1
        assert "alert" not in "".join(re.findall(r"<script>.*?</script>", html, re.DOTALL))
        assert all(set(image) == {"src", "alt"} for image in page.all("img"))
        assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert EVIL in parsed(render_run(run)).text
    search = make_search("s", data=EVIL)
    assert EVIL not in render_run(read_run(search))


def test_the_page_of_a_long_search_is_small(make_search: MakeRun, parsed: Parse) -> None:
    html = render_run(read_run(make_search(epochs=50)))
    assert len(html.encode()) <= MOST_BYTES
    assert len(parsed(html).all("svg", **{"class": "cell"})) == 50


def test_the_page_of_a_very_long_search_shows_some_epochs_and_says_so(
    make_search: MakeRun, parsed: Parse
) -> None:
    html = render_run(read_run(make_search(epochs=230)))
    assert len(html.encode()) <= MOST_BYTES
    assert 75 <= len(parsed(html).all("svg", **{"class": "cell"})) <= 80
    assert "Of 230 epochs one in 3 is here" in html


def test_equal_cells_share_a_drawing(make_search: MakeRun, parsed: Parse) -> None:
    page = parsed(render_run(read_run(make_search(epochs=50, cells=3))))
    assert len(page.all("svg", **{"class": "cell"})) == 3


def test_without_javascript_the_found_cell_is_seen_and_all_are_told(
    make_search: MakeRun, parsed: Parse
) -> None:
    folder = make_search(epochs=5)
    (folder / "selection.json").write_text('{"select": "best", "epoch": 3}')
    run = read_run(folder)
    page = parsed(render_run(run))
    seen = [
        index for index, div in enumerate(page.all("div")) if "data-drawing" in div and "hidden" not in div
    ]
    assert len(seen) == 1
    drawing = int(page.all("div")[seen[0]]["data-drawing"])
    assert page.all("svg", **{"class": "cell"})[drawing]["aria-label"] == f"Cell: {run.cells[2].genotype}"
    for cell in run.cells:
        assert str(cell.genotype) in page.text
    heat = [td for td in page.all("td") if "--v:" in (td.get("style") or "")]
    assert len(heat) == 14 * 8
    assert sum(td.get("class") == "kept" for td in heat) == 8


def test_of_an_unfinished_search_the_last_cell_is_seen(make_search: MakeRun, parsed: Parse) -> None:
    page = parsed(render_run(read_run(make_search(done=3))))
    assert page.all("input", type="range")[0]["value"] == "2"
    assert "Not finished" in page.text
    assert "--resume" in page.text


def test_the_heat_map_marks_what_the_cell_keeps(make_search: MakeRun) -> None:
    """As derived from the same numbers that the slider reads."""
    run = read_run(make_search())
    data = re.search(r'id="epochs">(.*?)</script>', render_run(run))
    assert data is not None
    for cell, view in zip(run.cells, json.loads(data[1])["list"], strict=True):
        rows = [(node, source) for node in range(4) for source in range(2 + node)]
        primitives = [
            "conv_1",
            "conv_3",
            "sep_conv_3",
            "dil_conv_3",
            "max_pool_3",
            "avg_pool_3",
            "skip",
            "none",
        ]
        kept = {(*rows[row], primitives[column]) for row, column in view["kept"]}
        assert kept == {
            (n, e.source, e.primitive) for n, edges in enumerate(cell.genotype.nodes) for e in edges
        }
        assert [[share / 1000 for share in row] for row in view["mixing"]] == [
            pytest.approx(row, abs=6e-4) for row in cell.mixing
        ]


def test_a_training_says_how_good_it_is_and_how_that_was_measured(make_training: MakeRun, page: Any) -> None:
    text = page(make_training(classes=tuple("abcdefghij"))).text.replace("\u202f", " ")
    for part in (
        "90.0 %",
        "80.0 to 95.0 % over 7 groups of 100 videos",
        "chance 10.0 %",
        "Balanced accuracy 77.7 %",
        "one centre-cropped clip",
    ):
        assert part in text
    assert "93,040" in text
    assert "10.7 M MACs" in text


def test_it_says_how_to_run_it_again(make_training: MakeRun, page: Any) -> None:
    text = page(make_training(data="my videos", seed=5)).text
    again = shlex.join(["vidnas", "train", "--preset", "cpu", "--data", "my videos", "--epochs", "3"])
    assert f"{again} --seed 5 --genotype random:0" in text


def test_versions_are_the_run_s_own_where_it_has_them(make_training: MakeRun, page: Any) -> None:
    folder = make_training()
    assert "does not say its versions" in page(folder).text
    (folder / "versions.json").write_text('{"vidnas": "0.0.9", "torch": "1.2.3"}')
    assert "was made with vidnas 0.0.9, torch 1.2.3." in " ".join(page(folder).text.split())


def test_clips_are_shown_with_truth_and_prediction(
    make_training: MakeRun, add_evaluation: MakeRun, page: Any
) -> None:
    folder = make_training()
    assert "vidnas evaluate --run" in page(folder).text
    add_evaluation(folder)
    seen = page(folder)
    assert "vidnas evaluate --run" not in seen.text
    first = seen.all("img")[0]
    assert first["alt"] == "Four moments of right-1.avi: run, predicted run"
    assert base64.b64decode(first["src"].partition("base64,")[2]).startswith(b"\xff\xd8")
    assert seen.all("img")[2]["alt"] == "Four moments of wrong-1.avi: run, predicted walk"
    assert "in truth run" in seen.text


def test_the_numbers_by_epoch_are_few_and_end_with_the_last(make_training: MakeRun) -> None:
    epochs = read_run(make_training(epochs=250))
    headings, rows = epoch_table(epochs)
    assert headings[:2] == ["epoch", "loss"]
    assert len(rows) <= 110
    assert rows[-1][:2] == ["250", "0.008"]
    assert [row[0] for row in epoch_table(read_run(make_training(epochs=2)))[1]] == ["1", "2"]


def test_an_overview_lists_every_run_with_its_link(pages: dict[str, str], parsed: Parse) -> None:
    page = parsed(pages["overview"])
    assert [link["href"] for link in page.all("a")] == [
        f"{name}/report.html" for name in ("a search", "begun", "going", "trained", "evaluated", "untrained")
    ]
    text = page.text.replace("\u202f", " ")
    for part in ("6 runs", "90.0 %", "80.0 to 95.0 %", "93.0 k", "10.7 M", "not finished"):
        assert part in text
    charts = page.all("svg")
    assert [chart["aria-label"].partition(":")[0] for chart in charts] == [
        "Accuracy against parameters",
        "Accuracy",
        "Loss",
    ]
    assert all("trained" in chart["aria-label"] for chart in charts)


def test_only_the_live_page_asks_for_news(pages: dict[str, str]) -> None:
    for name, html in pages.items():
        assert ("fetch(" in html) == (name == "live")
        assert ('http-equiv="refresh"' in html) == (name == "live")


def test_what_is_code_in_a_sentence_is_code_in_the_page(make_training: MakeRun, page: Any) -> None:
    folder = make_training()
    result = json.loads((folder / "result.json").read_text())
    result["cost"]["busy"] = True
    (folder / "result.json").write_text(json.dumps(result))
    html = render_run(read_run(folder))
    assert "the time is too long. <code>vidnas evaluate</code> measures it again" in html
    assert "`" not in page(folder).text.partition("Run it again")[0]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("`a <b>` & `c`", "<code>a &lt;b&gt;</code> &amp; <code>c</code>"),
        ("try --lr & `x --y z`", 'try <code class="word">--lr</code> &amp; <code>x --y z</code>'),
        ("5 -- 6, a--b", "5 -- 6, a--b"),
        ("a lonely ` <stays>", "a lonely ` &lt;stays&gt;"),
        ("\udcff", "\ufffd"),
    ],
)
def test_between_backticks_is_code_and_nothing_is_markup(text: str, html: str) -> None:
    template = _environment().from_string("{{ text | prose }}")
    assert template.render(text=text) == html


def test_a_command_is_words_that_a_line_breaks_between_and_stays_the_same_text(parsed: Parse) -> None:
    command = shlex.join(["vidnas", "train", "--data", "my <b> videos", "--clip-norm", "frames"])
    seen = parsed(_environment().from_string("{{ command | command }}").render(command=command))
    assert seen.text == command
    assert len(seen.all("span", **{"class": "word"})) == 6 and not seen.all("b")


def test_what_to_try_next_stands_in_a_block_of_its_own(make_training: MakeRun) -> None:
    folder = make_training()
    result = json.loads((folder / "result.json").read_text())
    result["scores"]["interval"] = [0.0, 0.9]
    result["scores"]["top1"] = result["scores"]["balanced_accuracy"] = 0.3
    (folder / "result.json").write_text(json.dumps(result))
    html = render_run(read_run(folder))
    notice = html.partition('<div class="notice" role="note">')[2].partition("</div>")[0]
    said, _, command = notice.partition("<pre>")
    assert "cannot be told from guessing" in said and "vidnas train" not in said
    assert '<span class="word">vidnas</span> <span class="word">train</span>' in command
