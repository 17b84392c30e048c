-- With the code that came with it, a device gets a password of its own and a token, once. It sends a secret that it made itself:
-- password and token follow from that and from `salt`, so that the same answer can be given again for an hour, and neither is stored.
alter table sensor_claim
    add column enrolled_at  timestamptz,
    add column device_hash  bytea,                   -- of the secret that the device made
    add column salt         bytea;
alter table sensor add column token bytea unique;    -- hash of what the device shows to the API

-- Who tried codes of devices, by network and day: never a whole address, and gone after a month.
create table enrol_attempt (
    network    cidr not null,
    sensor_id  integer references sensor on delete cascade,   -- null: no sensor of that name
    outcome    text not null,
    day        date not null default current_date,
    tries      integer not null default 1,
    last_at    timestamptz not null default now(),
    unique nulls not distinct (network, sensor_id, outcome, day)
);
create index enrol_attempt_of_sensor on enrol_attempt (sensor_id, last_at);
create index enrol_attempt_by_day on enrol_attempt (day);

-- Whoever keeps the broker's password file hears of everything that changes it, whichever way that came about.
create function tell_broker_access() returns trigger language plpgsql as $$
begin
    notify telstraat_broker_access;
    return null;
end
$$;
create trigger sensor_broker_access after insert or delete or update of name, secret, retired_at on sensor
    for each statement execute function tell_broker_access();
