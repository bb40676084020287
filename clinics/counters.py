"""What is counted as it happens, for Prometheus (config.metrics): by words of ours, never by people or records.

Each web process counts in files that config.metrics adds up. What a worker does is read from rows instead.
"""

from prometheus_client import Counter, Histogram

REQUESTS = Counter("sameday_requests", "Requests answered.", ["method", "route", "status"])
SECONDS = Histogram(
    "sameday_request_seconds",
    "Seconds that a request took, by its route.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
REFUSALS = Counter("sameday_refusals", "Requests refused, by the problem's code.", ["code", "route"])
LOCK_TIMEOUTS = Counter("sameday_lock_timeouts", "Requests that waited for a lock for longer than they may.")
DEADLOCK_RETRIES = Counter("sameday_deadlock_retries", "Times that work was done again after a deadlock.")
REPLAYS = Counter("sameday_idempotency_replays", "Requests answered with what the same Idempotency-Key got before.")
