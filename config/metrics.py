"""What Prometheus is told: what the web processes counted, and what the database says of what is due.

The counts of all processes of a web server are in files of one folder (PROMETHEUS_MULTIPROC_DIR, see config.web). The
facts are read anew for each answer, by statements that are bounded by what is open: of several web servers each tells
the same ones.
"""

import logging
import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache
from typing import Any

import redis
from django.conf import settings
from django.db import Error, connection, transaction
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from clinics import messages
from memberships import watching as payments_watching
from scheduling import watching
from virtualcare import watching as care_watching
from virtualcare.diverting import watching as diversions_watching

log = logging.getLogger(__name__)

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
LAST_BEAT = "beat:last"  # in Valkey: when a worker last did what beat asks for each minute
STATEMENT_TIMEOUT = "2s"  # for what Prometheus and load balancers ask
# pg_stat_database and pg_settings are read by everybody; what others' connections do is not.
CONNECTIONS = """
SELECT (SELECT numbackends FROM pg_stat_database WHERE datname = current_database()),
       current_setting('max_connections')::int
"""


def text(*, now: datetime) -> bytes:
    """All of it, in Prometheus' text format. It is told as far as it is known: a server that is away is a 0."""
    counted = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        counted = CollectorRegistry()
        MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    facts = CollectorRegistry()
    facts.register(Facts(now))
    return generate_latest(counted) + generate_latest(facts)


class Facts(Collector):
    """What is so now."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing beforehand: the registry would read it all only to learn the names."""
        return ()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            with transaction.atomic():
                found = list(self.of_the_database())
        except Error as error:
            log.warning("No facts for Prometheus: %s", type(error).__name__)
            yield gauge("sameday_database_up", "Whether the database answers.", 0)
        else:
            yield gauge("sameday_database_up", "Whether the database answers.", 1)
            yield from found
        yield from of_the_broker()

    def of_the_database(self) -> Iterator[GaugeMetricFamily]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [STATEMENT_TIMEOUT])
            cursor.execute(CONNECTIONS)
            used, limit = cursor.fetchone()
        yield gauge("sameday_database_connections", "Connections to this database.", used)
        yield gauge("sameday_database_connections_max", "Connections that PostgreSQL takes in all.", limit)
        backlog = messages.backlog(self.now)
        yield gauge("sameday_messages_due", "Messages that are due and not sent.", backlog["due"])
        yield gauge("sameday_messages_late", "Messages due for five minutes or longer.", backlog["late"])
        yield gauge("sameday_messages_failed", "Messages that failed and nobody cleared.", backlog["failed"])
        yield gauge("sameday_messages_unclear", "Messages of which it is not known if they went.", backlog["unclear"])
        yield gauge(
            "sameday_messages_oldest_unsent_seconds",
            "For how long the oldest message that is due has been so.",
            backlog["oldest_unsent_seconds"],
        )
        facts = watching.facts(now=self.now)
        yield gauge("sameday_holds", "Visits held and not booked yet.", facts["holds"])
        yield gauge("sameday_clinicians", "Clinicians with weekly hours now.", facts["clinicians"])
        if facts["horizon_days"] is not None:
            yield gauge(
                "sameday_shift_horizon_days",
                "Days ahead for which shifts are made, of the clinician with the fewest.",
                facts["horizon_days"],
            )
        yield gauge("sameday_reminders_planned", "Reminders yet to be sent.", facts["reminders_planned"])
        yield gauge("sameday_reminders_late", "Reminders due for five minutes or longer.", facts["reminders_late"])
        paid = payments_watching.facts(now=self.now)
        yield gauge(
            "sameday_charges_unclear", "Charges sent an hour ago of which nothing is known.", paid["charges_unclear"]
        )
        yield gauge(
            "sameday_refunds_unclear", "Refunds sent an hour ago of which nothing is known.", paid["refunds_unclear"]
        )
        yield gauge(
            "sameday_payment_events_late", "Payment events of an hour ago not looked into.", paid["events_late"]
        )
        yield gauge("sameday_disputes_open", "Payments that a payer's bank disputes.", paid["disputes_open"])
        sent = diversions_watching.facts(now=self.now)
        yield gauge(
            "sameday_diversions_uncalled", "Patients sent to emergency care whom nobody called.", sent["uncalled"]
        )
        yield gauge("sameday_diversions_unheard", "Alarms about such patients that reached nobody.", sent["unheard"])
        yield from of_virtual_care(self.now)


def of_virtual_care(now: datetime) -> Iterator[GaugeMetricFamily]:
    facts = care_watching.facts(now=now)
    gaps = GaugeMetricFamily(
        "sameday_coverage_gap_hours",
        "Hours of the next two days for which nobody licensed is on call.",
        labels=["state", "modality"],
    )
    for labels, hours in facts["coverage_gap_hours"].items():
        gaps.add_metric(labels, hours)
    told = GaugeMetricFamily("sameday_waits_told", "Waits told yesterday or today that are over.", labels=["modality"])
    inside = GaugeMetricFamily(
        "sameday_waits_inside_ratio", "The part of them that lay inside the range told.", labels=["modality"]
    )
    error = GaugeMetricFamily(
        "sameday_waits_mean_error_minutes", "How far the middle of the range was from them.", labels=["modality"]
    )
    for modality, day in facts["waits"].items():
        told.add_metric([modality], day.waits)
        inside.add_metric([modality], day.inside)
        error.add_metric([modality], day.mean_error)
    yield from (gaps, told, inside, error)
    yield gauge(
        "sameday_consults_left_alone",
        "Consults under way whose clinician is not heard of any more.",
        facts["left_alone"],
    )


def of_the_broker() -> Iterator[GaugeMetricFamily]:
    try:
        last = valkey().get(LAST_BEAT)
    except redis.RedisError as error:
        log.warning("Valkey is away: %s", type(error).__name__)
        yield gauge("sameday_broker_up", "Whether Valkey answers.", 0)
        return
    yield gauge("sameday_broker_up", "Whether Valkey answers.", 1)
    if last is not None:
        yield gauge("sameday_beat_last_run_timestamp_seconds", "When a worker last did what beat asked for.", last)


def gauge(name: str, words: str, value: Any) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, float(value))


def note_beat(*, now: datetime) -> None:
    """Beat, the broker and a worker are alive. Kept where it is lost with the broker, which is known by itself."""
    valkey().set(LAST_BEAT, int(now.timestamp()))


@cache
def valkey() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5, retry=None)
