"""Virtual care's views."""
