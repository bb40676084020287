"""Draining reminders by hand: one connection to the database, one to the mail server, and always the same text.

What it costs at the least to keep the same promises: reminders become messages in one statement for each 500; messages
are claimed by 20, sent, and recorded. It leaves out who is told, what they want, quiet hours, links and templates.
`python -m bench.bare_reminders`, by DATABASE_URL, EMAIL_HOST and EMAIL_PORT; it prints what came of it as JSON.
"""

import json
import os
import socket
import time
from typing import Any
from uuid import UUID

import psycopg

from bench import cpu

HANDED_OVER_AT_ONCE, SENT_AT_ONCE = 500, 20
HAND_OVER = """
WITH due AS (
  SELECT id, appointment_id FROM scheduling_reminder WHERE status = 'planned' AND due_at <= now()
   ORDER BY due_at, id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
), marked AS (
  UPDATE scheduling_reminder r SET status = 'sent', settled_at = now() FROM due WHERE r.id = due.id
)
INSERT INTO clinics_message (id, patient_id, channel, kind, template, context, attachments, about, dedupe_key, status,
                             due_at, expires_at, next_at, attempts, address, language, fingerprint, provider_id, error)
SELECT gen_random_uuid(), a.patient_id, 'email', 'reminder', 'bare', '{}', '[]', 'appointment:' || a.id,
       'bare:' || due.id, 'queued', now(), a.starts_at, now(), 0, p.email, '', '', '', ''
  FROM due JOIN scheduling_appointment a ON a.id = due.appointment_id
  JOIN clinics_patient p ON p.calendar_id = a.patient_id
"""
CLAIM = """
UPDATE clinics_message SET status = 'sending', attempts = attempts + 1, claimed_at = now(),
       next_at = now() + interval '1 minute'
 WHERE id IN (SELECT id FROM clinics_message WHERE channel = 'email' AND status = 'queued' AND next_at <= now()
               ORDER BY kind, next_at LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING id, address
"""
RECORD = """
UPDATE clinics_message SET status = 'sent', sent_at = now() WHERE id = ANY(%s) AND status = 'sending'
"""
FROM = "care@sameday.example"
TEXT = (
    "From: Sameday <{sender}>\r\nTo: {to}\r\nSubject: Reminder: your visit\r\nMessage-ID: <{id}@sameday.example>\r\n"
    "\r\n" + "You have a visit at Example Clinic, 1 Example Street, Boise, ID 83702.\r\n" * 10 + ".\r\n"
)


class Mailer:
    """SMTP with PIPELINING, of servers that take everything."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port))
        self.answers = self.socket.makefile("rb")
        self.hear()
        self.socket.sendall(b"EHLO bench\r\n")
        self.hear()

    def hear(self) -> bytes:
        while (line := self.answers.readline())[3:4] == b"-":
            pass
        if not line.startswith((b"2", b"3")):
            raise ConnectionError(line)
        return line

    def send(self, mails: list[tuple[UUID, str]]) -> None:
        said = b""
        for pk, to in mails:
            said += f"MAIL FROM:<{FROM}>\r\nRCPT TO:<{to}>\r\nDATA\r\n".encode()
            self.socket.sendall(said)
            for _ in range(3 if said.startswith(b"MAIL") else 4):
                self.hear()
            said = TEXT.format(sender=FROM, to=to, id=pk).encode()
        self.socket.sendall(said)
        self.hear()


def drain(connection: psycopg.Connection[Any], mailer: Mailer) -> int:
    """Hand over and send what is due; how many that were."""
    while connection.execute(HAND_OVER, [HANDED_OVER_AT_ONCE]).rowcount:
        pass
    sent = 0
    while mails := connection.execute(CLAIM, [SENT_AT_ONCE]).fetchall():
        mailer.send(mails)
        connection.execute(RECORD, [[pk for pk, _ in mails]])
        sent += len(mails)
    return sent


def main() -> None:
    url = os.environ["DATABASE_URL"]
    postgres = cpu.postmaster(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.prepare_threshold = 0
        mailer = Mailer(os.environ["EMAIL_HOST"], int(os.environ["EMAIL_PORT"]))
        began, spent, theirs = time.monotonic(), time.process_time(), cpu.tree(postgres) if postgres else 0.0
        sent = drain(connection, mailer)
        told = {
            "count": sent,
            "seconds": time.monotonic() - began,
            "cpu": time.process_time() - spent,
            "cpu_postgres": cpu.tree(postgres) - theirs if postgres else 0.0,
        }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
