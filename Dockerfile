# syntax=docker/dockerfile:1
# Sameday's programs: web, sockets, worker, beat and manage.py, by their command. Holds no settings and no secrets.
# Where another registry has Debian with Python 3.11 or later: --build-arg BASE=…
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS packages
# requirements-stripe.txt where cards are taken.
ARG REQUIREMENTS=requirements.txt
RUN python3 -m venv /opt/sameday/venv
COPY ${REQUIREMENTS} /tmp/requirements.txt
# Each file against its hash. Wheels alone, so that nothing of a stranger's runs while it is built.
RUN /opt/sameday/venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-input \
    --require-hashes --only-binary :all: --requirement /tmp/requirements.txt

FROM ${BASE}
RUN groupadd --gid 10001 sameday && useradd --uid 10001 --gid sameday --no-create-home --home-dir /nonexistent \
    --shell /usr/sbin/nologin sameday
COPY --from=packages /opt/sameday/venv /opt/sameday/venv
WORKDIR /opt/sameday/app
COPY manage.py ./
COPY clinics clinics
COPY config config
COPY memberships memberships
COPY partners partners
COPY scheduling scheduling
COPY virtualcare virtualcare
ENV PATH=/opt/sameday/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings \
    STATIC_ROOT=/opt/sameday/static
# Production's settings want secrets: these are made up for the one command, and none of them stays.
RUN random() { python -c 'import secrets; print(secrets.token_urlsafe(64))'; } \
    && SECRET_KEY="$(random)" LINKS_KEY="$(random)" \
    ENCRYPTION_KEYS="build:$(python -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())')" \
    DATABASE_URL=postgresql://nobody@localhost/none REDIS_URL=redis://localhost ALLOWED_HOSTS=localhost \
    PUBLIC_URL=https://localhost EMAIL_HOST=localhost DEFAULT_FROM_EMAIL=nobody@localhost \
    python manage.py collectstatic --no-input --verbosity 0 \
    && python -m compileall -q .
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-m", "config.probe", "http://127.0.0.1:8000/readyz"]
CMD ["python", "-m", "config.web", "--host", "0.0.0.0"]
