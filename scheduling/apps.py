from django.apps import AppConfig


class SchedulingConfig(AppConfig):
    """Shifts, slots and appointments."""

    name = "scheduling"

    def ready(self) -> None:
        from memberships import entitlement  # noqa: PLC0415 - there are models from here on
        from scheduling.models import VisitType  # noqa: PLC0415

        entitlement.BENEFITS.append(lambda code: VisitType.objects.filter(code=code).exists())
