"""Real calls between two browsers, which see a network with this machine's loopback in it and nothing else.

WebRTC looks for every way there is: so servers, coturn and Chromium all run inside a network namespace of their own.
The scenes (scenes.py: calls by themselves; consults.py: on the pages that people use) are played by a pytest in there,
with servers of its own.
Without Chromium, coturn or the right to make a namespace these skip, loudly; in CI they must run (`.ci/packages`).
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.browser.calls.stage import COTURN, ROOT
from tests.browser.conftest import CHROMIUM

pytestmark = pytest.mark.slow(minutes=5)
FOLDER = ROOT / ".sameday" / "calls"
FILES = ["tests/browser/calls/scenes.py", "tests/browser/calls/consults.py"]
LONGEST = 40 * 60  # seconds
# Seen in the environment of the run around, and not to be known in there.
OF_THIS_RUN = ("DATABASE_URL", "REDIS_URL", "OWNER_DATABASE_URL", "SAMEDAY_DATA")
SCENES = {
    "TestDirect": [
        "test_it_shows_each_side_the_other",
        "test_it_tells_the_other_side_what_is_switched_off",
        "test_it_goes_on_in_the_page_that_was_opened_last",
        "test_it_is_joined_again_by_a_page_that_was_loaded_anew",
    ],
    "TestTurnedIntoACall": ["test_it_shows_the_patient_what_to_agree_to_first"],
    "TestRelayed": [
        "test_it_hides_the_clinicians_address",
        "test_it_goes_by_the_relay_on_both_sides",
        "test_it_lets_nobody_relay_with_a_credential_that_is_over_or_made_up",
    ],
    "TestSignalling": [
        "test_it_goes_on_while_the_socket_server_is_dead_and_is_mended_after",
        "test_it_is_joined_when_the_socket_server_comes_late",
    ],
    "TestRevoking": [
        "test_it_ends_when_the_conversation_does",
        "test_it_ends_for_the_clinician_who_handed_the_patient_over",
        "test_it_ends_without_the_socket_server_too",
        "test_it_ends_for_both_when_one_is_signed_out",
    ],
    "TestLiveKit": ["test_it_goes_to_livekits_server_with_what_lets_somebody_in_and_tries_again"],
    "TestDeviceCheck": [
        "test_it_shows_the_camera_and_hears_the_microphone",
        "test_it_says_what_to_do_where_there_are_none_or_none_allowed",
        "test_it_lets_other_pages_have_no_camera",
    ],
    "TestOnThePages": [
        "test_it_is_held_from_waiting_to_the_summary",
        "test_it_begins_in_a_conversation_by_text_and_goes_by_the_relay",
        "test_it_ends_for_the_clinician_when_the_patient_leaves",
        "test_it_ends_for_the_patient_who_is_signed_out",
    ],
}


def obstacle() -> str:
    """What keeps the scenes from being played here; empty where nothing does."""
    if CHROMIUM is None:
        return "There is no Chromium (Debian: apt install chromium)."
    if COTURN is None:
        return "There is no coturn (Debian: apt install coturn)."
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return "There is no unshare or no ip (Debian: apt install util-linux iproute2)."
    if subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode:
        return "This user may make no network namespace (unshare --net): root may."
    return ""


@contextmanager
def alone() -> Iterator[None]:
    """One run at a time: another's servers cannot be reached from here."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "playing").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def play(report: Path) -> str:
    """Play all scenes in a network of their own; what their pytest printed."""
    scenes = [sys.executable, "-m", "pytest", *FILES, "-p", "no:cacheprovider"]
    inside = [sys.executable, "-m", "config.embedded", "run", str(FOLDER), *scenes, f"--junitxml={report}"]
    environment = {
        name: value for name, value in os.environ.items() if name not in OF_THIS_RUN and not name.startswith("PYTEST_")
    }
    played = subprocess.run(
        ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *inside],
        cwd=ROOT,
        env={**environment, "SAMEDAY_MODE": "test", "SECRET_KEY": "for-tests-only"},
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    return played.stdout + played.stderr


def outcomes(report: Path) -> dict[str, str]:
    """By class and name, of pytest's own report (JUnit's form)."""
    found: dict[str, str] = {}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - written by pytest
        name = f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}"
        wrong = [f"{one.tag}: {one.text}" for one in case if one.tag in ("failure", "error", "skipped")]
        # One that failed, and then tidying up after it, is there twice.
        found[name] = "\n".join(wrong) or found.get(name, "passed")
    return found


# One test, so that the scenes are played once however many workers the tests are shared out to.
def test_it_plays_every_scene(tmp_path: Path):
    report = tmp_path / "report.xml"
    if reason := obstacle():
        if os.environ.get("CI"):
            pytest.fail(f"{reason} CI must play the calls: see .ci/packages.")
        pytest.skip(f"NO CALLS BETWEEN BROWSERS: {reason}")

    with alone():
        printed = play(report)
    told = outcomes(report) if report.exists() else {}

    if told != dict.fromkeys((f"{group}::{name}" for group, names in SCENES.items() for name in names), "passed"):
        pytest.fail(f"Not every scene was played well: {told}\n{printed}", pytrace=False)
