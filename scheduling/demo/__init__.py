"""The demo network: three partners, and people who are all invented."""
