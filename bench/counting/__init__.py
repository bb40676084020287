"""Our own database backend, counting the statements that a process sends (DATABASES of bench.worker_settings)."""
