"""Every address, by app."""

from django.urls import URLPattern, URLResolver, include, path

import clinics.urls
import memberships.urls
import scheduling.urls
import virtualcare.urls
from clinics.admin.site import site
from config.documentation import DocsView, SchemaView

api: list[URLPattern | URLResolver] = [
    *clinics.urls.api,
    *memberships.urls.api,
    *scheduling.urls.api,
    *virtualcare.urls.api,
]

urlpatterns: list[URLPattern | URLResolver] = [
    *clinics.urls.web,
    *memberships.urls.web,
    *scheduling.urls.web,
    *virtualcare.urls.web,
    path("api/v1/", include(api)),
    path("api/schema", SchemaView.as_view(), name="schema"),
    path("api/docs", DocsView.as_view(url_name="schema"), name="docs"),
    path("admin/", site.urls),
    path("auth/", include("allauth.headless.urls")),
]

handler400 = "config.problems.bad_request"
handler403 = "config.problems.permission_denied"
handler404 = "config.problems.page_not_found"
handler500 = "config.problems.server_error"
