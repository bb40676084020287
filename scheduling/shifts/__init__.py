"""When clinicians see patients: weekly hours become shifts, and change."""

from scheduling.shifts.extending import extend

__all__ = ["extend"]
