-- What Grafana's data source may read: hours of sensors and their names; no password's hash, no person, no single quarter.
-- psql "$TELSTRAAT_DSN" -f deploy/grafana/reader.sql, then \password telstraat_grafana
create role telstraat_grafana login;
grant select on installation_hour to telstraat_grafana;
grant select (sensor_id, name, retired_at) on sensor to telstraat_grafana;
alter role telstraat_grafana set default_transaction_read_only = on;
alter role telstraat_grafana set statement_timeout = '10s';
