"""How fast Sameday is, beside the same work as bare SQL: `make bench` (docs/benchmarks.md).

__main__    the order of things; what a run needs is below
servers     PostgreSQL, Valkey and the production web server, on ports of their own
planting    the clinics, visits and patients that are measured, in a process of its own (it needs Django)
board       what is asked and booked, as the planting hands it over
load        the process that asks and books, over HTTP or as bare SQL
bare        holding and booking as a client would who writes SQL by hand
reminders   many reminders that are due at once, sent by one worker (draining) to a mail server (sink)
bare_reminders  the same by hand; worker_settings and counting are the worker's
cpu         who used the processor
measuring   rounds of both kinds by turns, and what came of them
report      the table, the targets, the JSON
"""
