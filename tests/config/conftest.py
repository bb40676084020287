"""Folders for servers of a test's own: with a blank in the path, and far from the servers the tests run on."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import embedded
from tests.plugins.servers import FOLDER


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch):
    """The addresses of the tests' own servers are not given to the ones under test."""
    for name in embedded.ADDRESSES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that any user may reach, as pytest's own are not, with PostgreSQL unpacked (it takes seconds)."""
    above = Path(tempfile.mkdtemp(prefix="same day "))
    above.chmod(0o755)
    folder = above / ("long-" * 20) / "servers"
    folder.mkdir(parents=True)
    with_programs(folder)
    yield folder
    embedded.stop(folder)
    shutil.rmtree(above)


def with_programs(folder: Path) -> None:
    if (FOLDER / "programs").exists():  # not where the tests were given a database
        shutil.copytree(FOLDER / "programs", folder / "programs", symlinks=True, copy_function=os.link)
