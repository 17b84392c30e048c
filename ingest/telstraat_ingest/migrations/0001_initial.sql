-- The street, the device, what stood where, and what it counted.
-- Works on PostgreSQL 15 and newer; TimescaleDB is a matter of 0002 (and of the runner, when the server offers it).

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

-- A sensor's stream of reports. The epoch (a random number) changes only when the sensor has lost its storage;
-- rows of `report` carry its short ordinal.
create table stream (
    sensor_id  integer not null references sensor,
    epoch_no   smallint not null,
    epoch      bigint not null,
    through    integer not null default 0,           -- all of 1..through is committed, refused or recorded as lost
    seen       integer not null default 0,           -- the highest sequence number heard of
    first_at   timestamptz not null default now(),
    last_at    timestamptz not null default now(),
    primary key (sensor_id, epoch_no),
    unique (sensor_id, epoch)
);

-- Sequence numbers between `through` and `seen` that are missing: asked for again.
create table stream_gap (
    sensor_id  integer not null,
    epoch_no   smallint not null,
    seqs       int4range not null,
    since_at   timestamptz not null default now(),
    primary key (sensor_id, epoch_no, seqs),
    foreign key (sensor_id, epoch_no) references stream
);

-- Sequence numbers that the device has announced as lost.
create table stream_lost (
    sensor_id  integer not null,
    epoch_no   smallint not null,
    seqs       int4range not null,
    at         timestamptz not null default now(),
    primary key (sensor_id, epoch_no, seqs),
    foreign key (sensor_id, epoch_no) references stream
);

-- One closed quarter of one sensor, raw as observed. Column order packs the row: wide fixed columns first.
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
    motorcycle_lft   smallint not null,              -- of which, of bike
    motorcycle_rgt   smallint not null,
    car_lft          smallint not null,
    car_rgt          smallint not null,
    heavy_lft        smallint not null,
    heavy_rgt        smallint not null,
    night_lft        smallint not null,
    night_rgt        smallint not null,
    pedestrian_conf  smallint,                       -- mean class confidence, percent
    bike_conf        smallint,
    car_conf         smallint,
    heavy_conf       smallint,
    light            "char" not null,                -- u(nknown) d(ay) k (dusk) n(ight)
    car_speed        smallint[],                     -- 25 bins of 5 km/h, 0-5 ... 120+; null when the view is not calibrated
    primary key (sensor_id, period_start, epoch_no)
) partition by range (period_start);

-- What could not be taken, with its reason; nothing is thrown away.
create table quarantine (
    quarantine_id  bigint generated always as identity primary key,
    received_at    timestamptz not null default now(),
    topic          text not null,
    sensor_id      integer,
    reason         text not null,                    -- one of a documented list
    detail         text not null,
    payload        bytea not null,                   -- cut at 16 kB
    payload_bytes  integer not null
);
create index quarantine_by_time on quarantine (received_at);

-- The sensor's last word about itself.
create table sensor_health (
    sensor_id   integer primary key references sensor,
    received_at timestamptz not null default now(),
    online      boolean not null default false,
    health      jsonb
);
