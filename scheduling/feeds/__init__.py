"""Visits as calendars read them (iCalendar, RFC 5545): the file of one visit, and feeds that follow all of somebody's.

No word in them says why somebody comes, to whom, or for what kind of visit: calendars are synced to companies that owe
a patient no secrecy, and read over shoulders.
"""

from scheduling.feeds.files import CONTENT_TYPE, calendar_of

__all__ = ["CONTENT_TYPE", "calendar_of"]
