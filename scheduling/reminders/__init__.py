"""Reminding of visits to come: planned with the booking, sent by a sweep, withdrawn with a move or a cancellation."""

from scheduling.reminders.planning import plan, plan_all, withdraw
from scheduling.reminders.sweeping import BATCH, send_due

__all__ = ["BATCH", "plan", "plan_all", "send_due", "withdraw"]
