"""The settings of workers and beats that are killed: as shipped, but that messages leave for providers of the test's
own, by real SMTP and HTTP, and that beat tells workers each second in place of each half minute.
"""

import os
from datetime import timedelta

from config.settings import *  # noqa: F403
from config.settings import CELERY_BEAT_SCHEDULE as AS_SHIPPED

TRANSPORTS = {"email": "clinics.transports.smtp", "sms": "tests.faults.texting"}
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST, EMAIL_PORT, EMAIL_TIMEOUT = "127.0.0.1", int(os.environ["SAMEDAY_SMTP_PORT"]), 60
TWILIO = {
    "ACCOUNT_SID": "AC1", "AUTH_TOKEN": "token", "API_KEY": "", "API_KEY_SECRET": "", "MESSAGING_SERVICE_SID": "MG1",
    "FROM": "",
}  # fmt: skip
SENDING_RATES = {"email": 1000.0, "sms": 1000.0}
MESSAGES_AT_ONCE = True
CELERY_BEAT_SCHEDULE = {
    name: entry | {"schedule": timedelta(seconds=1)} if name.startswith("send-") else entry
    for name, entry in AS_SHIPPED.items()
}
