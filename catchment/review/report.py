"""Effects as a text for a terminal, as Markdown for a pull request, as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from catchment.review.effects import Effect, Level

_SIGNS = {
    Level.DATA_LOSS: "🔴",
    Level.RELOAD: "🟠",
    Level.INTERRUPTION: "🟡",
    Level.SECURITY: "🔵",
    Level.COST: "🟣",
    Level.NONE: "⚪",
}
_STYLES = {
    Level.DATA_LOSS: "bold red",
    Level.RELOAD: "red",
    Level.INTERRUPTION: "yellow",
    Level.SECURITY: "blue",
    Level.COST: "magenta",
    Level.NONE: "dim",
}


def by_stack(effects: Sequence[Effect]) -> Iterator[tuple[str, list[Effect]]]:
    """Effects stack by stack, the stack with the worst first; ``effects`` are sorted worst first."""
    order = list(dict.fromkeys(effect.stack for effect in effects))
    for stack in order:
        yield stack, [effect for effect in effects if effect.stack == stack]


def text(effects: Sequence[Effect], *, sources: bool = False) -> str:
    """Rich markup: one line an effect."""
    if not effects:
        return "Nothing happens: both revisions synthesize the same templates."
    lines = []
    for stack, told in by_stack(effects):
        lines.append(f"[bold]{stack}[/]")
        for effect in told:
            style = _STYLES[effect.level]
            lines.append(f"  [{style}]{effect.level.word:<12}[/] {_escaped(effect.words)}")
            if sources and effect.source:
                lines.append(f"  {'':<12} [dim]{_escaped(effect.source)}[/]")
    return "\n".join([*lines, "", summary(effects)])


def summary(effects: Sequence[Effect]) -> str:
    """``1 reload, 2 interruption, 14 none``."""
    if not effects:
        return "nothing"
    counted = [(level, len(list(found))) for level, found in groupby(effects, key=lambda effect: effect.level)]
    return ", ".join(f"{count} {level.word}" for level, count in counted)


def markdown(effects: Sequence[Effect], environment: str, base: str) -> str:
    """One comment: what happens in a table a stack, what does not matter folded away."""
    lines = [f"### What deploying this to `{environment}` does", ""]
    if not effects:
        return "\n".join([*lines, f"Nothing: the templates are those of `{base}`.", ""])
    lines += [f"Against `{base}`: {summary(effects)}.", ""]
    for stack, told in by_stack([effect for effect in effects if effect.level > Level.NONE]):
        lines += [f"**{stack}**", "", "| | | source |", "|---|---|---|"]
        lines += [
            f"| {_SIGNS[each.level]} {each.level.word} | {_cell(each.words)} | {_cell(each.source)} |" for each in told
        ]
        lines.append("")
    quiet = [effect for effect in effects if effect.level is Level.NONE]
    if quiet:
        lines += [f"<details><summary>{len(quiet)} without effect on what runs</summary>", ""]
        lines += [f"- {effect.stack}: {_cell(effect.words)}" for effect in quiet]
        lines += ["", "</details>", ""]
    return "\n".join(lines)


def document(effects: Sequence[Effect], environment: str, base: str) -> dict[str, Any]:
    """For programs."""
    return {
        "environment": environment,
        "base": base,
        "worst": effects[0].level.word if effects else Level.NONE.word,
        "effects": [
            {
                "level": effect.level.word,
                "stack": effect.stack,
                "resource": effect.resource,
                "words": effect.words,
                "source": effect.source,
            }
            for effect in effects
        ],
    }


def _escaped(words: str) -> str:
    return words.replace("[", r"\[")


def _cell(words: str) -> str:
    return words.replace("|", r"\|").replace("<", "&lt;")
