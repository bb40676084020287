"""What the wait for a clinician has been, for telling what it will be."""

from django.db import models

from virtualcare.models.duty import Modality


class WaitModel(models.Model):
    """What a day's history says of waiting: the last row of a modality is what waits are told by.

    See virtualcare.waits.estimate: a wait is estimated from `mean_service`, and told from `low` to `high` times
    sqrt(estimate * step) beside it.
    """

    on = models.DateField(help_text="The first day that is not of the history, in UTC.")
    modality = models.CharField(max_length=5, choices=Modality)
    mean_service = models.FloatField(help_text="Seconds that a clinician spends on one.")
    low = models.FloatField(help_text="Of what waits were off by, the lower quantile; 0 or less.")
    high = models.FloatField(help_text="And the upper one.")
    sample = models.PositiveIntegerField(help_text="Waits that these two rest on.")

    class Meta:
        ordering = ["-on"]
        constraints = [models.UniqueConstraint(fields=["on", "modality"], name="wait_model_once")]

    def __str__(self) -> str:
        return f"{self.modality} from {self.on}"
