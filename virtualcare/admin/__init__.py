"""Who is on call, the hours that nobody is, and waits; forms, consent texts, and patients who were sent elsewhere."""

from virtualcare.admin import (  # noqa: F401 - they register
    consent_texts,
    coverage,
    diversions,
    forms,
    nurses,
    on_call,
    waits,
)
