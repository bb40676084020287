"""What axe-core finds of WCAG 2.2 AA on a page. Version 4.14.1, in axe/: github.com/dequelabs/axe-core, MPL-2.0."""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@cache
def axe() -> str:
    return (Path(__file__).parent / "axe" / "axe.min.js").read_text()


def violations(page: Page) -> list[str]:
    """What is against the rules, a line for each place of a page: the rule, what it is about, where, and why."""
    page.evaluate(axe())
    found: list[dict[str, Any]] = page.evaluate(
        "async levels => (await axe.run(document, {runOnly: levels, resultTypes: ['violations']})).violations", LEVELS
    )
    return [
        f"{rule['id']}: {rule['help']}: {node['target']} {node['html'][:200]} {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]


def require(page: Page, name: str) -> None:
    found = violations(page)
    assert not found, f"{name} is not for everybody:\n" + "\n".join(found)
