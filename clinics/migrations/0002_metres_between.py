"""The distance between two points, for every search that is near somewhere."""

from django.db import migrations

# Great circle on a sphere of the earth's mean radius, 6371008.8 m (IUGG). The haversine form is exact for small distances; the
# two-argument arc tangent of its halves needs no guard against rounding past 1, so that NULL in gives NULL out and PostgreSQL inlines it.
CREATE = """
CREATE FUNCTION metres_between(lat1 float8, lon1 float8, lat2 float8, lon2 float8) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT round(2 * 6371008.8 * atan2(
    sqrt(power(sind((lat2 - lat1) / 2), 2) + cosd(lat1) * cosd(lat2) * power(sind((lon2 - lon1) / 2), 2)),
    sqrt(abs(1 - power(sind((lat2 - lat1) / 2), 2) - cosd(lat1) * cosd(lat2) * power(sind((lon2 - lon1) / 2), 2)))
  ))::int
$$
"""


class Migration(migrations.Migration):
    dependencies = [("clinics", "0001_initial")]

    operations = [
        migrations.RunSQL(CREATE, "DROP FUNCTION metres_between(float8, float8, float8, float8)", elidable=False),
    ]
