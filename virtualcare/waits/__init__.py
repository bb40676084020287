"""How long people wait: what they are told (`telling`), from what was (`calibrating`), by one formula (`estimate`).

    from virtualcare.waits import telling

    told = telling.told(consult, now=now)

Nothing is imported here, so that the formula and its drawings are to be had without Django: `make simulate` runs them.
"""
