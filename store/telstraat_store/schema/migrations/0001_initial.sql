-- The street, the device, what stood where, and what it counted.
-- The same statements make a hypertable where the server has TimescaleDB, and partitions by month where it does not.

create table segment (
    segment_id       bigint generated always as identity (start with 1001) primary key,
    name             text not null,
    geometry         jsonb not null,                 -- GeoJSON LineString, WGS84, from A to B
    timezone         text not null default 'Europe/Brussels',
    speed_limit_kmh  smallint,
    osm_way_id       bigint,
    created_at       timestamptz not null default now()
);

create table sensor (
    sensor_id   integer generated always as identity primary key,
    name        text not null unique,                -- its user name at the broker and its part of the topic
    secret      text,                                -- what the broker's password file holds: PBKDF2, never the password
    created_at  timestamptz not null default now(),
    retired_at  timestamptz
);

-- A sensor as installed: a device at a segment for a time. A moved sensor, or a moved line, is a new installation.
create table installation (
    installation_id  integer generated always as identity (start with 101) primary key,
    sensor_id        integer not null references sensor,
    segment_id       bigint not null references segment,
    from_at          timestamptz not null default now(),
    until_at         timestamptz,
    note             text not null default '',
    check (until_at is null or until_at > from_at)
);
create index installation_of_segment on installation (segment_id, from_at);
create index installation_of_sensor on installation (sensor_id, from_at);

-- No quarter may belong to two installations of one sensor. (btree_gist would make this a constraint; it is not on every server.)
create function refuse_overlapping_installations() returns trigger language plpgsql as $$
begin
    perform 1 from sensor where sensor_id = new.sensor_id for update;
    if exists (
        select from installation i
        where i.sensor_id = new.sensor_id and i.installation_id <> new.installation_id
          and tstzrange(i.from_at, i.until_at) && tstzrange(new.from_at, new.until_at)
    ) then
        raise exception 'sensor % is already installed somewhere between % and %', new.sensor_id, new.from_at,
            coalesce(new.until_at::text, 'now') using errcode = 'exclusion_violation';
    end if;
    return new;
end $$;
create trigger installation_does_not_overlap before insert or update on installation
    for each row execute function refuse_overlapping_installations();

-- A sensor's stream of reports. The epoch (a random number) changes only when the sensor has lost its storage; rows of
-- `report` carry its short ordinal. Every sequence number up to `seen` is committed, or in one of the three sets.
create table stream (
    sensor_id  integer not null references sensor,
    epoch_no   smallint not null,
    epoch      bigint not null,
    seen       integer not null default 0,                    -- the highest sequence number heard of
    missing    int4multirange not null default '{}',          -- asked for again
    lost       int4multirange not null default '{}',          -- the device has said that it had to drop them
    refused    int4multirange not null default '{}',          -- in quarantine
    through    integer generated always as (case when isempty(missing) then seen else lower(missing) - 1 end) stored,
    first_at   timestamptz not null default now(),
    last_at    timestamptz not null default now(),
    gap_since  timestamptz,                                   -- since when something has been missing
    primary key (sensor_id, epoch_no),
    unique (sensor_id, epoch)
) with (fillfactor = 70);                                     -- rewritten with every report: room for updates in place

-- The gaps one by one, for people and alarms.
create view stream_gap as
    select s.sensor_id, s.epoch_no, g.seqs, s.gap_since as since_at
    from stream s cross join lateral unnest(s.missing) as g (seqs);

-- One closed quarter of one sensor, raw as observed. Column order packs the row: wide fixed columns first; the key's
-- order packs its index (4 + 2 + 8 bytes without padding) and still finds one sensor's quarters of a month together.
do $make$
declare
    timescale constant boolean := exists (select from pg_extension where extname = 'timescaledb');
begin
    execute $table$
        create table report (
            period_start     timestamptz not null,
            received_at      timestamptz not null default now(),
            sensor_id        integer not null,
            seq              integer not null,
            flags            integer not null,
            epoch_no         smallint not null,
            observed_s       smallint not null,
            pedestrian_lft   smallint not null,
            pedestrian_rgt   smallint not null,
            bike_lft         smallint not null,
            bike_rgt         smallint not null,
            motorcycle_lft   smallint not null,      -- of which, of bike
            motorcycle_rgt   smallint not null,
            car_lft          smallint not null,
            car_rgt          smallint not null,
            heavy_lft        smallint not null,
            heavy_rgt        smallint not null,
            night_lft        smallint not null,
            night_rgt        smallint not null,
            pedestrian_conf  smallint,               -- mean class confidence, percent
            bike_conf        smallint,
            car_conf         smallint,
            heavy_conf       smallint,
            light            "char" not null,        -- u(nknown) d(ay) k (dusk) n(ight)
            car_speed        smallint[],             -- 25 bins of 5 km/h, 0-5 ... 120+; null when the view is not calibrated
            primary key (sensor_id, epoch_no, period_start)
        )
    $table$ || case when timescale then '' else ' partition by range (period_start)' end;
    if timescale then
        perform create_hypertable('report', 'period_start',
            chunk_time_interval => interval '7 days', create_default_indexes => false);
    end if;
end $make$;

-- Make the partition that holds `at`, unless it is there. Safe from several sessions at once; nothing to do on a hypertable.
create function make_report_partition(at timestamptz) returns void language plpgsql as $$
declare
    month timestamp := date_trunc('month', at at time zone 'UTC');
    part text := 'report_' || to_char(month, 'YYYY_MM');
    low timestamptz := month at time zone 'UTC';
    high timestamptz := (month + interval '1 month') at time zone 'UTC';
begin
    if to_regclass(part) is not null
            or not exists (select from pg_partitioned_table where partrelid = 'report'::regclass) then
        return;
    end if;
    perform pg_advisory_xact_lock(hashtext('telstraat report partition'));
    if to_regclass(part) is null then
        execute format('create table %I (like report including defaults including constraints)', part);
        -- Attaching locks the parent less than creating the partition in place would: readers and writers go on.
        execute format('alter table report attach partition %I for values from (%L) to (%L)', part, low, high);
    end if;
end $$;

-- What could not be taken, with its reason. The same again is counted, not kept twice.
create table quarantine (
    quarantine_id   bigint generated always as identity primary key,
    received_at     timestamptz not null default now(),
    last_at         timestamptz not null default now(),
    times           integer not null default 1,
    sensor_id       integer,                         -- null when the topic names no sensor that we know
    topic           text not null,
    reason          text not null,                   -- one of a documented list: docs/ingest.md
    detail          text not null,
    payload         bytea not null,                  -- cut at 16 kB
    payload_bytes   integer not null,
    payload_sha256  bytea not null,                  -- of the whole payload
    stored          jsonb                            -- what stands in the table, when the payload contradicts it
);
create unique index quarantine_once on quarantine (topic, reason, payload_sha256);
create index quarantine_by_time on quarantine (received_at);

-- The sensor's last word about itself.
create table sensor_health (
    sensor_id    integer primary key references sensor,
    received_at  timestamptz not null default now(),
    online       boolean not null default false,
    health       jsonb
) with (fillfactor = 70);

-- What has to be added up again: appended in the transaction that changed the reports, taken away by the one that refreshes.
create table rollup_dirty (
    dirty_id   bigint generated always as identity primary key,
    sensor_id  integer not null,
    from_at    timestamptz not null,
    until_at   timestamptz not null
);
