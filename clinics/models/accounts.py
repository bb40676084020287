"""Accounts: who signs in, and where they are signed in."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.functions import RandomUUID
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models.functions import Lower, Now
from django.utils import timezone

from clinics.ids import new_id
from clinics.models.history import tracked


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create an account. `email` is its name, kept in lower case; without a password nobody can sign in to it."""
        user = self.model(email=email.lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create an account of an operator, who may do everything in the admin."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").lower())


@tracked(exclude=("password", "last_login"))
class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who signs in: a patient, a member of staff, an operator. What they may do is said by other rows."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(unique=True)
    is_active = models.BooleanField(default=True, help_text="Switch off to end every session and refuse new ones.")
    is_staff = models.BooleanField(default=False, help_text="May open the admin.")
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_lower")]

    def __str__(self) -> str:
        return self.email


class SecondFactorReset(models.Model):
    """That every second factor was taken from an account, by whom and why. Added with each reset, never changed."""

    append_only = True  # clinics.rights

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="second_factor_resets")
    at = models.DateTimeField()
    actor = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False, help_text="None: at the server."
    )
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.user_id} {self.at:%Y-%m-%d %H:%M}"


class Session(AbstractBaseSession):
    """A signed-in device. `session_key` is a digest: what a client sends cannot be read from the database."""

    id = models.UUIDField(db_default=RandomUUID(), unique=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="sessions")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_seen_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)
    address = models.GenericIPAddressField(null=True, editable=False, help_text="Where it was begun.")
    user_agent = models.CharField(max_length=300, blank=True, default="", db_default="", editable=False)

    class Meta:
        indexes = [models.Index(fields=["user"], name="session_user")]


class Attempt(models.Model):
    """What allauth counts or remembers for a while, so that nobody guesses for long: see clinics.attempts."""

    key = models.CharField(max_length=300, primary_key=True)
    value = models.JSONField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="attempt_expires")]

    def __str__(self) -> str:
        return self.key
