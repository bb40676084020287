"""The demo's part of virtual care. Everything in it is invented."""
