"""Pages for people."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.test import Client

from clinics import messages
from clinics.messages import sending
from clinics.models import Patient
from tests.cast import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailbox(settings: LazySettings, tmp_path: Path) -> Path:
    settings.DEMO = True
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    return tmp_path / "mail"


def send(subject: str, body: str = "Hello", folder: Path | None = None) -> None:
    connection = get_connection("django.core.mail.backends.filebased.EmailBackend", file_path=str(folder))
    message = EmailMultiAlternatives(subject, body, "care@example.com", ["pat@example.com"], connection=connection)
    message.attach_alternative("<p>as HTML</p>", "text/html")
    message.send()


class TestLanding:
    def test_it_says_what_this_is(self, client: Client):
        answer = client.get("/")

        assert b'href="/api/docs"' in answer.content
        assert b"sameday-demo" not in answer.content
        assert b"/demo/messages" not in answer.content

    def test_it_shows_logins_in_the_demo_alone(self, client: Client, mailbox: Path):
        answer = client.get("/")

        assert b"sameday-demo" in answer.content
        assert b'href="/demo/messages"' in answer.content

    def test_it_runs_no_script(self, client: Client):
        answer = client.get("/")

        assert b"<script" not in answer.content
        assert "default-src 'self'" in answer["Content-Security-Policy"]


class TestMessages:
    def test_it_is_there_in_the_demo_alone(self, client: Client):
        assert client.get("/demo/messages").status_code == 404

    def test_it_says_so_when_there_are_none(self, client: Client, mailbox: Path):
        assert b"No mail yet" in client.get("/demo/messages").content

    def test_it_shows_the_newest_first(self, client: Client, mailbox: Path):
        send("First code", "Your code is\n\nABCD-EFGH", mailbox)
        for file in mailbox.iterdir():
            os.utime(file, (1, 1))
        send("Second code", "Your code is\n\nABCD-EFGH", mailbox)

        page = client.get("/demo/messages").content.decode()

        assert page.index("Second code") < page.index("First code")
        assert "ABCD-EFGH" in page
        assert "pat@example.com" in page

    def test_it_shows_mail_as_text(self, client: Client, mailbox: Path):
        send("<b>bold</b>", "<script>alert(1)</script> naïve €", mailbox)

        page = client.get("/demo/messages").content.decode()

        assert "&lt;script&gt;alert(1)&lt;/script&gt; naïve €" in page
        assert "<script" not in page
        assert "&lt;b&gt;bold&lt;/b&gt;" in page

    def test_it_shows_what_the_outbox_sent(self, client: Client, mailbox: Path, pat: Patient):
        send("From a file", folder=mailbox)
        (message,) = messages.queue(
            to=pat,
            template="visit_cancelled",
            about="appointment:1",
            dedupe_key="1",
            context={"start": NOW.isoformat(), "clinic": "https://care.example/cancel/x"},
            attachments=[{"name": "visit.ics", "type": "text/calendar", "content": "BEGIN:VCALENDAR"}],
            now=NOW,
        )
        assert b"visit.ics" not in client.get("/demo/messages").content
        sending.send_due("email", clock=lambda: NOW + timedelta(days=3650))

        page = client.get("/demo/messages").content.decode()

        assert page.index("Cancelled: your visit") < page.index("From a file")
        assert 'href="https://care.example/cancel/x"' in page
        assert f'href="/demo/messages/{message.pk}/0"' in page
        attached = client.get(f"/demo/messages/{message.pk}/0")
        assert attached["Content-Disposition"] == 'attachment; filename="visit.ics"'
        assert attached.content == b"BEGIN:VCALENDAR"
        assert client.get(f"/demo/messages/{message.pk}/1").status_code == 404

    def test_it_shows_no_attachment_elsewhere(self, client: Client, pat: Patient):
        assert client.get(f"/demo/messages/{pat.pk}/0").status_code == 404

    def test_it_comes_in_pages(self, client: Client, mailbox: Path):
        send("Mail", folder=mailbox)
        (mail,) = mailbox.glob("*.log")
        for number in range(45):
            path = mailbox / f"{number}.log"
            path.write_text(mail.read_text().replace("Subject: Mail", f"Subject: Mail {number:02}"))
            os.utime(path, (number, number))
        mail.unlink()

        pages = [client.get(f"/demo/messages?page={number}").content.decode() for number in (1, 2, 3, "x")]

        assert [page.count("<article") for page in pages] == [20, 20, 5, 20]
        assert "Mail 44" in pages[0]
        assert "Mail 00" in pages[2]
