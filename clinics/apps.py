from django.apps import AppConfig


class ClinicsConfig(AppConfig):
    """The ground floor: places, people, organizations, access."""

    name = "clinics"
    verbose_name = "Clinics and people"
