"""Django's PostgreSQL backend, within the protocol's limit on parameters (DATABASES["default"]["ENGINE"])."""
