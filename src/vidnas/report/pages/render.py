"""Runs -> HTML: one file with all in it. What is said comes from view.py, the looks from templates/."""

import base64
import dataclasses
import hashlib
import re
import shlex
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple

import jinja2
from markupsafe import Markup, escape
from matplotlib.colors import to_hex

from vidnas.compare.verdict import chance
from vidnas.config.learning import SearchConfig
from vidnas.config.presets import same_clips
from vidnas.errors import are, counted, storable
from vidnas.nas.primitives import PRIMITIVES
from vidnas.report.geometry.cell import draw_cell
from vidnas.report.geometry.confusion import HOW_TO_READ, draw_matrix
from vidnas.report.geometry.curves import Line
from vidnas.report.geometry.palette import mixed, role_colors, series
from vidnas.report.geometry.tradeoff import PARAMETERS, Rated, draw_tradeoff
from vidnas.report.pages import view, words
from vidnas.report.pages.settings import changed, command, nearest_preset
from vidnas.report.pages.svg import to_svg
from vidnas.report.pages.verdicts import advice, findings_of
from vidnas.runs.read import Run
from vidnas.runs.records import Test
from vidnas.runs.versions import installed_versions
from vidnas.training.scores import scores_from

FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]+(?![^<>]*</code>)")
"""A flag in a sentence that has become HTML, unless it is in code already."""
GENERATOR = "vidnas report"
"""What a page names as its maker, so that it is known again."""


def render_run(run: Run, *, live: bool = False) -> str:
    """The page of one run; a `live` one asks its server for news."""
    preset, test = nearest_preset(run.config), run.latest_test
    settings = dataclasses.asdict(run.config)
    clips_from, clips = view.tested_clips(run)
    names = view.class_names(run, test) if test else []
    slider = view.slider(run)
    folder = storable(run.folder)
    return render_template(
        "run.html.j2",
        ["slider.js", "live.js"] if live else ["slider.js"],
        live=live,
        run=run,
        name=storable(run.name),
        folder=folder,
        resume=shlex.join(["vidnas", run.verb, "--resume", folder]),
        train=_train_command(run, folder, preset),
        evaluate=shlex.join(["vidnas", "evaluate", "--run", folder, "--data", storable(run.config.data)]),
        preset=preset,
        changed=changed(run.config, preset),
        settings=settings,
        command=storable(command(run.config, preset)),
        test=test,
        chance=chance(scores_from(test.scores)) if test else None,
        warnings=[tuple(map(storable, one)) for one in advice(findings_of(run), run.config)],
        charts=view.curves(run),
        epoch_table=view.epoch_table(run),
        slider=slider,
        slider_data=_slider_data(slider) if slider else None,
        cell=draw_cell(run.genotype) if run.genotype else None,
        matrix=draw_matrix(test.scores["confusion"], names) if test else None,
        class_rows=view.class_rows(test, names) if test else [],
        clips=clips,
        clips_from=clips_from,
        costs=view.costs(run),
    )


def _train_command(run: Run, folder: str, preset: str) -> str:
    """What to type after a search; nothing after a training."""
    if not isinstance(run.config, SearchConfig):
        return ""
    flags = [storable(flag) for flag in same_clips(run.config, preset)]
    return shlex.join(["vidnas", "train", "--genotype", folder, *flags])


def _slider_data(slider: view.Slider) -> dict[str, object]:
    """What slider.js reads."""
    names = ("epoch", "drawing", "text", "mixing", "kept")
    epochs = [{name: getattr(epoch, name) for name in names} for epoch in slider.epochs]
    return {"highest": max(1, slider.highest), "list": epochs}


class Listed(NamedTuple):
    """A run in an overview, and where its page is as seen from there."""

    run: Run
    link: str
    role: str


def render_overview(pages: Sequence[tuple[Run, str]]) -> str:
    """The page about several runs, each given with the link to its own page."""
    listed = [Listed(*page, series(number)) for number, page in enumerate(pages)]
    networks = [_rated(one, test) for one in listed if (test := one.run.latest_test)]

    def lines(what: str) -> list[Line]:
        parts = {"search": f"val_{what}", "train": what}
        return [
            Line(storable(run.name), view.series_of(run, parts[run.verb]), role) for run, _, role in listed
        ]

    return render_template(
        "overview.html.j2",
        [],
        live=False,
        listed=listed,
        val_accuracy=view.val_accuracy,
        findings_of=findings_of,
        tradeoff=draw_tradeoff(networks),
        charts=view.overlaid(lines, accuracy="Accuracy", loss="Loss"),
    )


def _rated(one: Listed, test: Test) -> Rated:
    low, high = test.scores["interval"]
    name, parameters = storable(one.run.name), test.cost["parameters"]
    return Rated(name, test.scores["top1"], low, high, {PARAMETERS: parameters}, one.role)


def render_template(template: str, scripts: Sequence[str] = (), **values: object) -> str:
    """A template with what every page has; its scripts are named by their hashes, no other ever runs."""
    environment = _environment()
    script = "\n".join(_source(environment, name) for name in scripts)
    digest = _base64(hashlib.sha256(script.encode()).digest())
    return environment.get_template(template).render(
        **values,
        script=Markup(script),
        script_hash=digest,
        style=Markup(_source(environment, "style.css")),
        roles=Markup("".join(f".{role}{{--c:var(--{role})}}" for role in role_colors())),
        light=_palette(dark=False),
        dark=_palette(dark=True),
        primitives=PRIMITIVES,
        how_to_read=HOW_TO_READ,
        versions=installed_versions(),
        generator=f"{GENERATOR} {installed_versions()['vidnas']}",
        now=datetime.now().strftime("%Y-%m-%d %H:%M"),
    )


def _source(environment: jinja2.Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("vidnas.report.pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    named = (words.percent, words.quantity, words.duration, words.base_name, storable, counted, are)
    environment.filters.update({function.__name__: function for function in named})
    environment.filters.update(svg=to_svg, prose=_prose, command=_command, base64=_base64)
    environment.globals.update(interval=words.interval)
    return environment


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _prose(text: str) -> Markup:
    """A text, what stands between backticks as code, and flags, within which no line breaks."""
    code = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(storable(text))))
    return Markup(FLAG.sub(r'<code class="word">\g<0></code>', code))


def _command(text: str) -> Markup:
    """A shell command that a narrow page breaks between its words alone; one too long for a line anywhere."""
    return Markup(" ").join(
        Markup('<span class="word">{}</span>').format(shlex.quote(word)) for word in shlex.split(text)
    )


def _palette(*, dark: bool) -> Markup:
    """The colours of roles as CSS variables; on a dark page lighter, dark ones much."""
    colors = {
        role: mixed(color, "white", dark * (0.72 if max(mixed(color, "white", 0.0)) < 0.35 else 0.28))
        for role, color in role_colors().items()
    }
    return Markup("".join(f"--{role}:{to_hex(color)};" for role, color in colors.items()))
