"""What the chat says by itself, in the patient's language."""

from typing import Any

from django.template import engines

from clinics.messages import rendering
from virtualcare.models import Consult


def said(consult: Consult, what: str, values: dict[str, Any]) -> str:
    """The text `virtualcare/chat/{language}/{what}.txt`, filled with `values`. Needs the consult's patient."""
    language = "es" if consult.patient.language.partition("-")[0] == "es" else "en"
    template = engines["django"].engine.get_template(f"virtualcare/chat/{language}/{what}.txt")  # type: ignore[attr-defined]
    return rendering.filled(template, language, values)
