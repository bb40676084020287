"""`python -m config.probe URL`: exit status 0 where it answers 200. For health checks, in images without curl."""

import sys
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit


def answers(url: str) -> bool:
    """Whether a server answers 200 there, within four seconds."""
    where = urlsplit(url)
    with closing(HTTPConnection(where.hostname or "", where.port, timeout=4)) as connection:
        try:
            connection.request("GET", where.path)
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False


if __name__ == "__main__":
    sys.exit(0 if answers(sys.argv[1]) else 1)
