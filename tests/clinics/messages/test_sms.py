"""Words that everybody may text, the alphabet of texts, and Twilio's signature."""

import pytest

from clinics import sms
from clinics.sms import Word

WORDS = {
    Word.STOP: [
        "STOP", "stop", "Stop.", " STOP! ", "stopall", "Stop All", "unsubscribe", "Cancel", "CANCEL.", "end", "quit",
        "Quit!!", "revoke", "optout", "opt-out", "Opt out", "stop texting me", "«stop»", "alto",
    ],
    Word.HELP: ["help", "HELP!", "Info?", "ayuda"],
    Word.START: ["start", "Start!", "YES", "yes.", "unstop"],
    None: [
        "", "C", "x", "ok", "cancel my visit", "the end", "don't stop", "yes please", "helpful", "1", "?", "\0", "停",
        "end of day?", "\ud83d\ude00",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("meant", "said"), [(meant, said) for meant, texts in WORDS.items() for said in texts])
def test_it_knows_a_word_in_any_case_and_punctuation(meant: Word | None, said: str):
    assert sms.word(said) is meant


def test_it_counts_a_texts_places():
    assert sms.length("Hello") == 5
    assert sms.length("5 €") == 4
    assert sms.length("ñ à") == 3
    assert sms.length("á") is None
    assert sms.length("🙂") is None


class TestSignature:
    # The example of twilio-python's own tests.
    URL = "https://api.example.com/myapp.php?foo=1&bar=2"
    FIELDS = [
        ("From", "+14158675309"),
        ("To", "+18005551212"),
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
    ]

    def test_it_is_that_of_twilios_documentation(self):
        """The example of twilio.com/docs/usage/security."""
        made = sms.signature(url="https://mycompany.com/myapp.php?foo=1&bar=2", fields=self.FIELDS, auth_token="12345")

        assert made == "RSOYDt4T1cUTdK1PDd93/VVr8B8="

    def test_it_fits_one_request_alone(self):
        made = sms.signature(url=self.URL, fields=self.FIELDS, auth_token="12345")

        def fits(given: str = made, url: str = self.URL, fields: list = self.FIELDS, auth_token: str = "12345") -> bool:
            return sms.is_from_twilio(given, url=url, fields=fields, auth_token=auth_token)

        assert fits()
        assert fits(fields=self.FIELDS[::-1])
        assert not fits(given="")
        assert not fits(given="é")
        assert not fits(given=made[:-1])
        assert not fits(url=self.URL.replace("https", "http"))
        assert not fits(fields=self.FIELDS[:-1])
        assert not fits(auth_token="1234")

    def test_it_never_fits_without_a_token(self):
        made = sms.signature(url=self.URL, fields=self.FIELDS, auth_token="")

        assert not sms.is_from_twilio(made, url=self.URL, fields=self.FIELDS, auth_token="")
