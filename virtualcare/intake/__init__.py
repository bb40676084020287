"""What is asked before somebody waits, and who must not wait for us: red flags come first.

form = forms.published(complaint)
decision = intake.decide(form, answers)      # before anything else is asked: consent, guardian, price
if decision.advice is None:
    guardians.require(…)
    texts = consents.agreed(…)
"""

from virtualcare.intake.deciding import BadAnswers, Decision, decide
from virtualcare.intake.forms import UnknownComplaint, complaints, published

__all__ = ["BadAnswers", "Decision", "UnknownComplaint", "complaints", "decide", "published"]
