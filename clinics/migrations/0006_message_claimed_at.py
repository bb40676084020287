from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clinics", "0005_device_sessions_and_attempts")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="claimed_at",
            field=models.DateTimeField(blank=True, help_text="When a worker last took it in hand.", null=True),
        ),
    ]
