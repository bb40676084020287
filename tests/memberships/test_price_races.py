"""Two who set what something costs at once: one does, and the other is told."""

from datetime import date
from typing import Any

import pytest
import time_machine

from clinics.models import User
from memberships import plans
from memberships.models import Fee, Price, VisitPrice
from tests.calls import browser
from tests.cast import NOW, at_the_same_time
from tests.memberships.selling import make_offer

pytestmark = pytest.mark.django_db(transaction=True)
FROM = date(2027, 1, 1)


@pytest.mark.parametrize("kind", ["visit", "fee"])
def test_one_of_two_use_cases_is_refused(kind: str):
    def do(amount: int) -> Any:
        if kind == "visit":
            return plans.price_visits(benefit="office", amount=amount, from_on=FROM).amount
        return plans.set_fee(code="late-cancel", name="Late", amount=amount, from_on=FROM).amount

    outcomes = at_the_same_time(do, [100, 200, 300])

    assert sorted(map(str, outcomes))[1:] == ["price_planned"] * 2
    assert (VisitPrice if kind == "visit" else Fee).objects.count() == 1


@pytest.mark.parametrize("page", ["visitprice", "fee", "price"])
def test_one_of_two_operators_sees_the_form_again_with_what_is_wrong(page: str):
    plan = make_offer().year.plan_id
    operators = [User.objects.create_superuser(f"operator{number}@example.com", None) for number in range(2)]
    fields: dict[str, dict[str, Any]] = {
        "visitprice": {"benefit": "office"},
        "fee": {"code": "late-cancel", "name": "Late"},
        "price": {"plan": plan, "interval": "year", "trial_days": 0},
    }
    asked = {**fields[page], "amount": 2_500, "from_on": FROM.isoformat()}

    with time_machine.travel(NOW):
        answers = at_the_same_time(
            lambda user: browser(user).post(f"/admin/memberships/{page}/add/", asked).status_code, operators
        )

    assert sorted(answers) == [200, 302]
    model = {"visitprice": VisitPrice, "fee": Fee, "price": Price}[page]
    assert model.objects.filter(amount=2_500).count() == 1
