"""The WSGI entry point of the API, the admin and the pages."""

import os

from django.core.wsgi import get_wsgi_application

from clinics import places

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
# The table of ZIP codes takes half a second to load: no request waits for it.
places.parse_near("44011")
