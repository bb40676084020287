"""The settings of the benchmark's worker: the demo's, but its mail leaves by SMTP, as in production.

Its tasks have a queue of their own, and its statements are counted.
"""

import os

from config.settings import *  # noqa: F403
from config.settings import DATABASES, TRANSPORTS

TRANSPORTS = TRANSPORTS | {"email": "clinics.transports.smtp"}
EMAIL_HOST, EMAIL_PORT = os.environ["EMAIL_HOST"], int(os.environ["EMAIL_PORT"])
EMAIL_TIMEOUT = 10
CELERY_TASK_DEFAULT_QUEUE = os.environ["BENCH_QUEUE"]
DATABASES = {"default": DATABASES["default"] | {"ENGINE": "bench.counting"}}
