"""Plans and prices. Their rows are never changed: a new price is a new row, from a later day."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import display
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from clinics.admin.places import HouseAdmin
from clinics.admin.site import site
from clinics.admin.staff_periods import Periods
from clinics.admin.work import Work
from clinics.models import Clinic, StaffRole
from memberships import plans
from memberships.models import Fee, Plan, Price, VisitPrice
from memberships.money import dollars


class OfferAdmin(HouseAdmin):
    """What everybody may buy is for all staff to read, and for those who run the server to add to."""

    section = "Places"
    roles = StaffRole.CARE
    is_changed = False

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Two who add a price at once do so one after the other: the second is told of the first's."""
        with transaction.atomic():
            if request.method == "POST":
                plans.lock()
            return super().changeform_view(request, *args, **kwargs)

    def in_house(self, at: Work, clinics: QuerySet[Clinic]) -> QuerySet[Any]:  # noqa: ARG002 - an override
        return self.model.objects.all()  # type: ignore[no-any-return]


@admin.register(Plan, site=site)
class PlanAdmin(OfferAdmin):
    icon = "card_membership"
    list_display = ("name", "code", "audience", "benefits", "on_sale")
    list_filter = ("audience", "on_sale")
    search_fields = ("name", "code")
    ordering = ("code",)
    is_added = False


class PriceForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Price
        fields = ("plan", "interval", "amount", "trial_days", "from_on")

    def clean_from_on(self) -> Any:
        return not_past(self.cleaned_data["from_on"])


@admin.register(Price, site=site)
class PriceAdmin(OfferAdmin):
    icon = "sell"
    list_display = ("plan", "interval", "in_dollars", "trial_days", "from_on")
    list_filter = ("interval",)
    list_select_related = ("plan",)
    search_fields = ("plan__name", "plan__code")
    ordering = ("plan", "interval", "-from_on")
    form = PriceForm

    @display(description="Amount", ordering="amount")
    def in_dollars(self, row: Price) -> str:
        return dollars(row.amount)


class VisitPriceForm(forms.ModelForm):  # type: ignore[type-arg]
    from_on = forms.DateField(help_text="First day of visits at this price. The price until then ends on it.")

    class Meta:
        model = VisitPrice
        fields = ("benefit", "amount")

    def clean_from_on(self) -> Any:
        return not_past(self.cleaned_data["from_on"])

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        benefit, from_on = found.get("benefit"), found.get("from_on")
        if from_on and VisitPrice.objects.filter(benefit=benefit, during__startswith__gte=from_on).exists():
            raise forms.ValidationError(plans.PricePlanned.detail)
        return found


@admin.register(VisitPrice, site=site)
class VisitPriceAdmin(Periods, OfferAdmin):
    icon = "payments"
    list_display = ("benefit", "in_dollars", "since", "until")
    search_fields = ("benefit",)
    ordering = ("benefit", "-during")
    form = VisitPriceForm

    @display(description="Amount", ordering="amount")
    def in_dollars(self, row: VisitPrice) -> str:
        return dollars(row.amount)

    def save_model(self, request: HttpRequest, obj: VisitPrice, form: Any, change: bool) -> None:  # noqa: ARG002
        asked = form.cleaned_data
        made = plans.price_visits(benefit=asked["benefit"], amount=asked["amount"], from_on=asked["from_on"])
        obj.pk, obj.during = made.pk, made.during


class FeeForm(forms.ModelForm):  # type: ignore[type-arg]
    from_on = forms.DateField(help_text="First day on which it costs this. What it cost until then ends on it.")

    class Meta:
        model = Fee
        fields = ("code", "name", "amount")

    def clean_from_on(self) -> Any:
        return not_past(self.cleaned_data["from_on"])

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        code, from_on = found.get("code"), found.get("from_on")
        if from_on and Fee.objects.filter(code=code, during__startswith__gte=from_on).exists():
            raise forms.ValidationError(plans.PricePlanned.detail)
        return found


@admin.register(Fee, site=site)
class FeeAdmin(Periods, OfferAdmin):
    icon = "money_off"
    list_display = ("name", "code", "in_dollars", "since", "until")
    search_fields = ("name", "code")
    ordering = ("code", "-during")
    form = FeeForm

    @display(description="Amount", ordering="amount")
    def in_dollars(self, row: Fee) -> str:
        return dollars(row.amount)

    def save_model(self, request: HttpRequest, obj: Fee, form: Any, change: bool) -> None:  # noqa: ARG002
        asked = form.cleaned_data
        made = plans.set_fee(code=asked["code"], name=asked["name"], amount=asked["amount"], from_on=asked["from_on"])
        obj.pk, obj.during = made.pk, made.during


def not_past(day: Any) -> Any:
    """Raises ValidationError for a day that was: people bought at the price of then."""
    if day <= timezone.now().date():
        raise forms.ValidationError("A new price begins tomorrow or later.")
    return day
