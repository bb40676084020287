"""`.venv` as `make` keeps it: in step with its lock file, and whole."""

import importlib.util
import subprocess
import sys

import pytest

from config import environment


@pytest.fixture
def lock(tmp_path, monkeypatch):
    """A lock file, and a .venv that was filled from it."""
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    lock = tmp_path / "requirements-demo.txt"
    lock.write_text("django==5.2.19\n")
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").symlink_to(sys.executable)
    (tmp_path / ".venv/requirements-demo.txt").write_text("django==5.2.19\n")
    return lock


class TestIsInStep:
    def test_it_holds_while_nothing_changes(self, lock):
        assert environment.is_in_step(lock)

    def test_it_ends_with_a_new_lock_file(self, lock):
        lock.write_text("django==5.2.20\n")

        assert not environment.is_in_step(lock)

    def test_it_ends_where_an_installation_was_cut_short(self, lock):
        (environment.VENV / "unfinished").touch()

        assert not environment.is_in_step(lock)

    def test_it_ends_where_the_machine_dropped_its_python(self, lock):
        (environment.VENV / "bin/python").unlink()
        (environment.VENV / "bin/python").symlink_to("/usr/bin/python3.0")

        assert not environment.is_in_step(lock)


class TestMain:
    def test_it_names_the_package_that_a_debian_without_venv_lacks(self, lock, monkeypatch):
        (environment.VENV / "unfinished").touch()
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

        with pytest.raises(SystemExit, match=r"apt install python3\.\d+-venv"):
            environment.main(lock)

    def test_it_says_which_python_it_needs(self, lock, monkeypatch):
        monkeypatch.setattr(sys, "version_info", (3, 9))

        with pytest.raises(SystemExit, match=r"needs Python 3\.11 or later"):
            environment.main(lock)

    def test_it_is_done_at_once_the_second_time(self, lock, monkeypatch):
        monkeypatch.setattr(environment, "install", lambda lock: pytest.fail("installed again"))

        environment.main(lock)

    def test_it_empties_what_was_left_half_made(self, lock, monkeypatch):
        (environment.VENV / "unfinished").touch()
        made = []
        monkeypatch.setattr(environment, "install", lambda lock: made.append("installed"))

        def run(command, **_):
            made.append(command[1:])
            return subprocess.CompletedProcess(command, 0)

        monkeypatch.setattr(subprocess, "run", run)

        environment.main(lock)

        assert made == [["-m", "venv", "--clear", environment.VENV], "installed"]
