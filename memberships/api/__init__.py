"""The API of memberships."""
