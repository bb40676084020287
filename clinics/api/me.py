"""`GET me`, `PATCH me`, `GET me/dependents`, `POST me/dependents`: somebody's own record, and their children's."""

from datetime import datetime
from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from phonenumber_field.serializerfields import PhoneNumberField
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics import people
from clinics.edge import Endpoint
from clinics.models import AccessEvent, Coverage, Patient, Proxy, Sex, StaffRole, User
from clinics.models.places import validate_time_zone
from clinics.openapi import problems
from clinics.refusals import NotFound
from clinics.shapes import DayField, LanguageField, Shape, parse

POSTAL_CODE = r"^([0-9]{5}(-[0-9]{4})?)?$"
STATE = r"^([A-Z]{2})?$"
MIA: dict[str, Any] = {
    "id": "0193601a-7c1e-7000-8000-000000000006",
    "name": "Mia Example",
    "age": 8,
    "relationship": "parent",
    "scope": "full",
    "shrinks_at_age": 13,
    "given_name": "Mia",
    "family_name": "Example",
    "preferred_name": "",
    "birth_date": "2018-05-04",
    "sex": "female",
    "phone": "",
    "email": "",
}
PAT = OpenApiExample(
    "A parent",
    response_only=True,
    status_codes=["200"],
    value={
        "id": "0193601a-7c1e-7000-8000-000000000007",
        "email": "pat@example.com",
        "patient": {
            "id": "0193601a-7c1e-7000-8000-000000000003",
            "name": "Pat Example",
            "given_name": "Pat",
            "family_name": "Example",
            "preferred_name": "",
            "birth_date": "1990-05-17",
            "sex": "unknown",
            "phone": "+14405550199",
            "email": "pat@example.com",
            "street": "1 Main St",
            "city": "Avon",
            "state": "OH",
            "postal_code": "44011",
            "time_zone": "America/New_York",
            "language": "en",
            "identifiers": [{"system": "urn:example:mrn", "value": "12345"}],
            "coverages": [
                {
                    "payer": "Example Insurance",
                    "payer_class": "commercial",
                    "member_id": "W123",
                    "from_on": "2026-01-01",
                    "until_on": None,
                }
            ],
        },
        "dependents": [MIA],
        "roles": [],
        "employers": [],
    },
)


class TimeZoneField(serializers.CharField):
    """An IANA time zone."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=40, validators=[validate_time_zone], **options)


class CoverageAnswer(serializers.Serializer[Any]):
    payer = serializers.CharField()
    payer_class = serializers.ChoiceField(Coverage.Class.choices)
    member_id = serializers.CharField()
    from_on = serializers.DateField(allow_null=True)
    until_on = serializers.DateField(allow_null=True, help_text="First day without it.")


class IdentifierAnswer(serializers.Serializer[Any]):
    system = serializers.CharField()
    value = serializers.CharField()


class PatientAnswer(serializers.Serializer[Any]):
    """A patient's record, as they read it."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    given_name = serializers.CharField()
    family_name = serializers.CharField()
    preferred_name = serializers.CharField(allow_blank=True)
    birth_date = serializers.DateField()
    sex = serializers.ChoiceField(Sex.choices)
    phone = serializers.CharField(allow_blank=True)
    email = serializers.CharField(allow_blank=True)
    street = serializers.CharField(allow_blank=True)
    city = serializers.CharField(allow_blank=True)
    state = serializers.CharField(allow_blank=True)
    postal_code = serializers.CharField(allow_blank=True)
    time_zone = serializers.CharField()
    language = serializers.CharField()
    identifiers = IdentifierAnswer(many=True)
    coverages = CoverageAnswer(many=True)


class DependentAnswer(serializers.Serializer[Any]):
    """Somebody whom the caller acts for. From the age at which their scope shrinks on, name and age alone."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    age = serializers.IntegerField()
    relationship = serializers.ChoiceField(Proxy.Relationship.choices)
    scope = serializers.ChoiceField(["full", "limited"])
    shrinks_at_age = serializers.IntegerField(help_text="Age in years at which the scope becomes limited.")
    given_name = serializers.CharField(required=False)
    family_name = serializers.CharField(required=False)
    preferred_name = serializers.CharField(required=False, allow_blank=True)
    birth_date = serializers.DateField(required=False)
    sex = serializers.ChoiceField(Sex.choices, required=False)
    phone = serializers.CharField(required=False, allow_blank=True)
    email = serializers.CharField(required=False, allow_blank=True)


class RoleAnswer(serializers.Serializer[Any]):
    role = serializers.ChoiceField(StaffRole.Role.choices)
    clinic = serializers.UUIDField(allow_null=True)
    organization = serializers.UUIDField(allow_null=True)


class EmployerAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class MeAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    patient = PatientAnswer(allow_null=True)
    dependents = DependentAnswer(many=True)
    roles = RoleAnswer(many=True)
    employers = EmployerAnswer(many=True, help_text="Whose benefit staff I am.")


class DependentsAnswer(serializers.Serializer[Any]):
    results = DependentAnswer(many=True)
    next = serializers.URLField(allow_null=True)


def patient_shown(patient: Patient) -> dict[str, Any]:
    """Somebody's own record as JSON."""
    return {
        "id": patient.pk,
        "name": patient.name,
        "given_name": patient.given_name,
        "family_name": patient.family_name,
        "preferred_name": patient.preferred_name,
        "birth_date": patient.birth_date,
        "sex": patient.sex,
        "phone": str(patient.phone),
        "email": patient.email,
        "street": patient.street,
        "city": patient.city,
        "state": patient.state,
        "postal_code": patient.postal_code,
        "time_zone": patient.time_zone,
        "language": patient.language,
        "identifiers": [{"system": known.system, "value": known.value} for known in patient.identifiers.all()],
        "coverages": [
            {
                "payer": coverage.payer,
                "payer_class": coverage.payer_class,
                "member_id": coverage.member_id,
                "from_on": coverage.during.lower,
                "until_on": coverage.during.upper,
            }
            for coverage in patient.coverages.all()
        ],
    }


def dependent_shown(proxy: Proxy, *, now: datetime) -> dict[str, Any]:
    """A dependent as JSON, as much of them as the proxy may see. Who has an account has contact data of their own."""
    child = proxy.patient
    is_full, is_theirs = proxy.is_full(now=now), child.user_id is not None
    always = {
        "id": child.pk,
        "name": child.name,
        "age": child.age_on(child.today(now=now)),
        "relationship": proxy.relationship,
        "scope": "full" if is_full else "limited",
        "shrinks_at_age": proxy.shrinks_at_age,
    }
    if not is_full:
        return always
    return always | {
        "given_name": child.given_name,
        "family_name": child.family_name,
        "preferred_name": child.preferred_name,
        "birth_date": child.birth_date,
        "sex": child.sex,
        "phone": "" if is_theirs else str(child.phone),
        "email": "" if is_theirs else child.email,
    }


def me_shown(user: User, *, now: datetime) -> dict[str, Any]:
    """An account as JSON. Needs `patient` loaded."""
    patient, today = people.own_record(user), people.today_of(user, now=now)
    roles = list(user.staff_roles.select_related("organization").order_by("pk"))
    return {
        "id": user.pk,
        "email": user.email,
        "patient": patient_shown(patient) if patient else None,
        "dependents": [dependent_shown(proxy, now=now) for proxy in people.dependents(user, on=today)],
        "roles": [
            {"role": role.role, "clinic": role.clinic_id, "organization": role.organization_id} for role in roles
        ],
        "employers": [{"id": employer.pk, "name": employer.name} for employer in people.employers_served(roles)],
    }


class Me(Endpoint):
    shown_as = AccessEvent.What.RECORD

    class Changes(Shape):
        """What people change about themselves. The e-mail address changes under /auth, where it is verified."""

        preferred_name = serializers.CharField(required=False, allow_blank=True, max_length=60)
        phone = PhoneNumberField(required=False, allow_blank=True, max_length=30, help_text="E.164, or a US number.")
        street = serializers.CharField(required=False, allow_blank=True, max_length=120)
        city = serializers.CharField(required=False, allow_blank=True, max_length=60)
        state = serializers.RegexField(STATE, required=False, allow_blank=True, help_text="USPS code, such as OH.")
        postal_code = serializers.RegexField(POSTAL_CODE, required=False, allow_blank=True)
        time_zone = TimeZoneField(required=False, help_text="IANA name, such as America/New_York.")
        language = LanguageField(required=False)

    @extend_schema(
        operation_id="read_me",
        summary="Account, own record, dependents",
        responses={200: MeAnswer},
        examples=[PAT],
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002 - as every view
        return self.answer()

    @extend_schema(
        operation_id="change_me",
        summary="Change how to reach me",
        request=Changes,
        responses={200: MeAnswer, **problems(people.NoPatientRecord)},
        examples=[OpenApiExample("Moved", value={"street": "1 Main St", "city": "Avon"}, request_only=True), PAT],
    )
    def patch(self, request: Request) -> Response:
        changes = parse(self.Changes, request.data)
        people.change_own_contact(user=self.caller, changes=changes)
        return self.answer()

    def answer(self) -> Response:
        body = me_shown(self.caller, now=timezone.now())
        self.shows(*(child["id"] for child in body["dependents"]))
        return Response(body)


class Dependents(Endpoint):
    shown_as = AccessEvent.What.RECORD

    class Child(Shape):
        RELATIONSHIPS: ClassVar = Proxy.Relationship.choices

        given_name = serializers.CharField(max_length=60)
        family_name = serializers.CharField(max_length=60)
        preferred_name = serializers.CharField(required=False, allow_blank=True, max_length=60)
        birth_date = DayField()
        sex = serializers.ChoiceField(Sex.choices, required=False)
        relationship = serializers.ChoiceField(RELATIONSHIPS, default=Proxy.Relationship.PARENT)

    @extend_schema(
        operation_id="list_dependents",
        summary="Whom I act for, at most a few",
        responses={200: DependentsAnswer},
        examples=[
            OpenApiExample(
                "A daughter", response_only=True, status_codes=["200"], value={"results": [MIA], "next": None}
            )
        ],
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002 - as every view
        now = timezone.now()
        today = people.today_of(self.caller, now=now)
        found = [dependent_shown(proxy, now=now) for proxy in people.dependents(self.caller, on=today)]
        self.shows(*(child["id"] for child in found))
        return Response({"results": found, "next": None})

    @extend_schema(
        operation_id="add_dependent",
        summary="Add a child",
        request=Child,
        responses={
            201: DependentAnswer,
            **problems(
                people.Underage,
                people.OfAge,
                people.ImplausibleBirthDate,
                people.DependentExists,
                people.TooManyDependents,
            ),
        },
        examples=[
            OpenApiExample(
                "A daughter",
                value={"given_name": "Mia", "family_name": "Lopez", "birth_date": "2018-05-04", "sex": "female"},
                request_only=True,
            ),
            OpenApiExample("The daughter", response_only=True, status_codes=["201"], value=MIA),
        ],
    )
    def post(self, request: Request) -> Response:
        asked = parse(self.Child, request.data)
        now = timezone.now()
        today = people.today_of(self.caller, now=now)
        proxy = people.add_dependent(user=self.caller, today=today, **asked)
        self.shows(proxy.patient_id)
        return Response(dependent_shown(proxy, now=now), status=201)

    def replay(self, request: Request, body: Any, **_: Any) -> Any:  # noqa: ARG002 - as every view
        now = timezone.now()
        today = people.today_of(self.caller, now=now)
        proxy = people.dependents(self.caller, on=today).filter(patient=body["id"]).first()
        if proxy is None:
            raise NotFound
        self.shows(proxy.patient_id)
        return body if proxy.is_full(now=now) else dependent_shown(proxy, now=now)
