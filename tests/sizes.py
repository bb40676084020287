"""How much the tests do: `make test` a little of what is marked `proof`, `make proof` all of it."""

import os

FULL = bool(os.environ.get("SAMEDAY_PROOF"))
