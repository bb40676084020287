from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent.parent / "sql" / "free_starts.sql"


class Migration(migrations.Migration):
    dependencies = [("scheduling", "0001_initial"), ("clinics", "0002_metres_between")]

    operations = [migrations.RunSQL(SQL.read_text(), "DROP FUNCTION free_starts")]
