"""`python -m config.probe URL`: exit status 0 where it answers 200. For health checks, in images without curl."""

import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit


def main(url: str) -> int:
    where = urlsplit(url)
    connection = HTTPConnection(where.hostname or "", where.port, timeout=4)
    try:
        connection.request("GET", where.path)
        return 0 if connection.getresponse().status == 200 else 1
    except OSError:
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
