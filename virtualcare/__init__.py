"""Text and video consults at any hour of the day."""
