#!/bin/sh
# Two roles in the database: the owner, who migrates, and the application, whose rights manage.py give_rights gives.
# Run once by the image of PostgreSQL, and by hand elsewhere, as a superuser:
#   POSTGRES_USER=postgres POSTGRES_DB=sameday OWNER_PASSWORD=… APP_PASSWORD=… sh deploy/postgres/10-roles.sh
set -eu
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set owner_password="$OWNER_PASSWORD" --set app_password="$APP_PASSWORD" --set database="$POSTGRES_DB" <<'SQL'
CREATE ROLE sameday_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE sameday_app LOGIN PASSWORD :'app_password';
ALTER DATABASE :"database" OWNER TO sameday_owner;
ALTER SCHEMA public OWNER TO sameday_owner;
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO sameday_app;
SQL
