"""What the tests' invented people are known by, so that it is recognised where nobody may read it (promise 37)."""

import re

# Begins every family name, street and reason of the cast: in no word of ours.
STEM = "Canari"
FAMILY_NAME = f"{STEM}no"
STREET = f"7 {STEM}ous Lane"
REASON = f"{STEM}ous cough"

# Anybody's, not the cast's alone: addresses for mail, telephones kept for invented people, dates before any visit.
KNOWN_BY = re.compile(
    rf"""
      {STEM}\w*
    | (?-i:\b(?:Pat|Mia|Lopez|Stranger)\b)
    | [\w.+-]+(?:@|%40)(?:[\w-]+\.)*example\b
    | (?<![\w-])\+?1?[ .(-]{{0,2}}(?:201|440)[ .)-]{{0,2}}555[ .-]?01\d\d\b
    | \b(?:19\d\d|200\d|201\d)-[01]\d-[0-3]\d\b
    | \b[01]?\d/[0-3]?\d/(?:19\d\d|20[01]\d)\b
    | date\((?:19\d\d|20[01]\d),
    """,
    re.IGNORECASE | re.VERBOSE,
)


def found_in(text: str) -> list[str]:
    """What in `text` tells of somebody."""
    return KNOWN_BY.findall(text)
