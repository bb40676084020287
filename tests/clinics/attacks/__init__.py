"""What somebody tries who wants in: those ways of it that no other file of these tests shuts."""
