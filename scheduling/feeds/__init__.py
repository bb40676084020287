"""Visits as calendars read them (iCalendar, RFC 5545): the file of one visit, and feeds that follow all of somebody's.

No word in them says why somebody comes, to whom, or for what kind of visit: calendars are synced to companies that owe
a patient no secrecy, and read over shoulders.
"""

from scheduling.feeds.addresses import NotClinician, address, end, find, make, of
from scheduling.feeds.files import CONTENT_TYPE, calendar_of
from scheduling.feeds.reading import Reading, read

__all__ = ["CONTENT_TYPE", "NotClinician", "Reading", "address", "calendar_of", "end", "find", "make", "of", "read"]
