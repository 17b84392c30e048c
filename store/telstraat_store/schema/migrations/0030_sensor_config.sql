-- What a sensor shall run: the whole of the retained message. It has arrived when the sensor's health names its version, as run or as refused.
create table sensor_config (
    sensor_id  integer primary key references sensor on delete cascade,
    version    bigint not null,
    settings   jsonb not null,
    sent_at    timestamptz not null default now()
);
create function tell_sensor_config() returns trigger language plpgsql as $$
begin
    notify telstraat_config;
    return null;
end
$$;
create trigger sensor_config_told after insert or update on sensor_config for each statement execute function tell_sensor_config();
