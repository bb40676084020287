"""Bookings at the same time: real threads, real transactions (promise 1).

Beside each race stands a control, `test_without_…`, that takes a guard away and shows what the guard is there for.
"""
