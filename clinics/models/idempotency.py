"""Answers kept, so that a request sent twice does its work once."""

from django.db import models

from clinics.models.accounts import User


class IdempotencyKey(models.Model):
    """The answer to a POST that carried an Idempotency-Key, committed with the work it did."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    path = models.CharField(max_length=200)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the request's body.")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "path", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return f"{self.path} {self.key}"
