"""Employers that pay for people: contracts, who is on the roster, who claims it, and what they are entitled to by it.

The roster is the sponsor's: its facts are shown to its benefit staff as they gave them. That somebody claimed, and what
they are entitled to, is the person's: nothing here tells the sponsor, neither by an answer nor by what it costs.
"""
