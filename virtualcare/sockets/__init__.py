"""Open sockets of consults and of clinicians' consoles: they hear that there is news, never what (virtualcare.news).

`routes` names the addresses, `base` is what all sockets have in common, `consults` and `clinicians` are theirs, `hub`
is what one process hears from Valkey and whom it tells. A socket is let in by a ticket (`tickets`), and what its user
may still hear is looked at again and again (`standing`). docs/decisions/0017-sockets.md says why.
"""
