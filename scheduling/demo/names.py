"""Names to invent people from."""

from pathlib import Path


def _read() -> dict[str, list[str]]:
    paragraphs = Path(__file__).with_name("names.txt").read_text().strip().split("\n\n")
    kinds = (paragraph.split(":") for paragraph in paragraphs)
    return {kind: names.split() for kind, names in kinds}


NAMES = _read()
FEMALE, MALE, FAMILY, STREETS = (NAMES[kind] for kind in ("female", "male", "family", "street"))
# As often as they are spoken, about.
LANGUAGES = ["en"] * 17 + ["es"] * 2 + ["zh"]
