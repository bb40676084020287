"""Makes .venv and keeps it in step with a lock file: `python3 -I config/environment.py requirements-demo.txt`.

Run by `make` with the machine's own Python, so it uses the standard library alone. A second run is done in
milliseconds: .venv keeps a copy of each lock file it was filled from. A run that was cut short leaves a mark,
and the next one starts from an empty .venv.
"""

import fcntl
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
OLDEST = (3, 11)


def main(lock: Path) -> None:
    """Bring .venv in step with the lock file. Exits with a sentence to act on where it cannot."""
    if sys.version_info < OLDEST:
        sys.exit(f"Sameday needs Python 3.11 or later; {sys.executable} is {sys.version.split()[0]}.")
    mark = ROOT / ".sameday" / "environment.lock"
    mark.parent.mkdir(exist_ok=True)
    with mark.open("w") as held:  # `make lint` and `make test` may start together
        fcntl.flock(held, fcntl.LOCK_EX)
        if not is_in_step(lock):
            make_usable()
            install(lock)


def is_in_step(lock: Path) -> bool:
    """True where .venv works and was filled from exactly this lock file."""
    copy = VENV / lock.name
    return copy.is_file() and copy.read_bytes() == lock.read_bytes() and is_usable()


def is_usable() -> bool:
    """True where no earlier run was cut short and .venv's Python (which the machine may have dropped) runs pip."""
    if (VENV / "unfinished").exists():
        return False
    try:
        asked = subprocess.run([VENV / "bin/python", "-c", "import pip"], capture_output=True, check=False)
    except OSError:
        return False
    return asked.returncode == 0


def make_usable() -> None:
    """Make .venv afresh unless it is usable."""
    if is_usable():
        return
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        sys.exit(
            f"{sys.executable} comes without venv. On Debian and Ubuntu: apt install python{version}-venv "
            "(or python3-venv), then run the same command again."
        )
    print(f"Making .venv with Python {sys.version.split()[0]} …", flush=True)
    if subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=False).returncode:
        sys.exit(f"{sys.executable} -m venv could not make {VENV}: see above.")


def install(lock: Path) -> None:
    """Install exactly what the lock file names, each file checked against its hash."""
    print(f"Installing {lock.name} into .venv (the first time takes about a minute) …", flush=True)
    unfinished = VENV / "unfinished"
    unfinished.touch()
    pip = [str(VENV / "bin/python"), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    done = subprocess.run([*pip, "--require-hashes", "--requirement", str(lock)], check=False)
    if done.returncode:
        unfinished.unlink()  # pip itself said no, and left what was there in order
        sys.exit(f"pip could not install {lock.name}: see above.")
    shutil.copyfile(lock, VENV / lock.name)
    unfinished.unlink()


if __name__ == "__main__":
    try:
        main(ROOT / sys.argv[1])
    except KeyboardInterrupt:
        sys.exit(130)
