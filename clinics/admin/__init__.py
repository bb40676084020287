"""The admin at /admin/: what staff work with. Each app registers its records at `site.site`.

    @admin.register(Appointment, site=site)
    class AppointmentAdmin(ScopedAdmin):
        section, icon = "Front desk", "event"
        ...

Who sees what is said by the same `visible_to` as in the API (see `scoped`), who works where by `work.of(request)`. What
a use case owns is changed by calling it (see `doing`); nothing here writes rows of patients' data itself.
"""

from clinics.admin import (  # noqa: F401 - they register
    attention,
    break_glass,
    history,
    messages,
    places,
    staff,
    staff_clinicians,
)
