-- Counts of others that a city brings along, and the street's counts from all sources in one place.

create table import_source (
    source_id    integer generated always as identity primary key,
    name         text not null unique,               -- e.g. the file's origin; shown beside the counts
    format       text not null,                      -- telraam-api, telraam-portal or plain
    licence      text not null default '',
    credit       text not null default '',
    created_at   timestamptz not null default now()
);

-- For the whole period, often fractional: published counts are already divided by uptime and are never divided again; those
-- that were not are divided when they are imported. Null means not counted.
create table imported (
    segment_id     bigint not null references segment,
    period_start   timestamptz not null,
    period_s       integer not null check (period_s in (900, 3600)),
    source_id      integer not null references import_source,
    uptime         double precision not null,        -- share of the period really counted; above 1 in old rows of others
    is_corrected   boolean not null,                 -- they came divided; otherwise the import has divided them
    pedestrian_lft double precision, pedestrian_rgt double precision, bike_lft double precision,
    bike_rgt double precision, motorcycle_lft double precision, motorcycle_rgt double precision,
    car_lft double precision, car_rgt double precision, heavy_lft double precision,
    heavy_rgt double precision, night_lft double precision, night_rgt double precision,
    v85_kmh        double precision,
    car_speed      real[],                           -- shares in percent: 25 bins of 5 km/h, or 8 bins of 10 km/h
    imported_at    timestamptz not null default now(),
    primary key (segment_id, period_s, period_start)
);

-- How far a file was read, so that an import that was stopped goes on.
create table import_progress (
    source_id   integer not null references import_source,
    sha256      bytea not null,
    file        text not null,
    rows_done   bigint not null,
    is_done     boolean not null default false,
    at          timestamptz not null default now(),
    primary key (source_id, sha256)
);

-- What could not be imported, and why.
create table import_refusal (
    source_id  integer not null references import_source,
    sha256     bytea not null,
    row_number bigint not null,
    reason     text not null,
    line       text not null,
    primary key (source_id, sha256, row_number)
);

-- Hours of imported counts: as given, or from quarters by the same reading rule.
create table imported_hour (
    segment_id    bigint not null references segment,
    hour_start    timestamptz not null,
    source_id     integer not null references import_source,
    quarters      smallint not null,
    uptime        double precision not null,
    pedestrian_lft double precision, pedestrian_rgt double precision, bike_lft double precision,
    bike_rgt double precision, motorcycle_lft double precision, motorcycle_rgt double precision,
    car_lft double precision, car_rgt double precision, heavy_lft double precision,
    heavy_rgt double precision, night_lft double precision, night_rgt double precision,
    car_speed     double precision[],                -- cars seen per bin: share * cars * uptime
    primary key (segment_id, hour_start)
);

create table imported_day (
    segment_id    bigint not null references segment,
    day           date not null,
    day_start     timestamptz not null,
    source_id     integer not null references import_source,
    hours         smallint not null,
    uptime        double precision not null,
    pedestrian_lft double precision, pedestrian_rgt double precision, bike_lft double precision,
    bike_rgt double precision, motorcycle_lft double precision, motorcycle_rgt double precision,
    car_lft double precision, car_rgt double precision, heavy_lft double precision,
    heavy_rgt double precision, night_lft double precision, night_rgt double precision,
    car_speed     double precision[],
    primary key (segment_id, day)
);

create function add_shares(so_far double precision[], more double precision[]) returns double precision[]
    language sql immutable strict parallel safe
    as $$
        select case when cardinality(so_far) <> cardinality(more) then so_far     -- bins of 5 and of 10 km/h do not add up
            else (select array_agg(a + b order by i) from unnest(so_far, more) with ordinality as t (a, b, i)) end
    $$;
create aggregate sum_shares(double precision[]) (
    sfunc = add_shares, stype = double precision[], parallel = safe, combinefunc = add_shares
);

-- The street. Several installations at once are averaged, each weighted by the time that it observed; where a street has
-- counts of its own and imported ones for the same period, its own are shown.
create view segment_quarter as
select q.segment_id, q.period_start, 900 as period_s, null::integer as source_id, count(*)::integer as installations,
    1::smallint as quarters, max(q.observed_s) / 900.0::double precision as uptime,
    900.0::double precision * sum(q.pedestrian_lft) / sum(q.observed_s) as pedestrian_lft, 900.0::double precision * sum(q.pedestrian_rgt) / sum(q.observed_s) as pedestrian_rgt,
    900.0::double precision * sum(q.bike_lft) / sum(q.observed_s) as bike_lft, 900.0::double precision * sum(q.bike_rgt) / sum(q.observed_s) as bike_rgt,
    900.0::double precision * sum(q.motorcycle_lft) / sum(q.observed_s) as motorcycle_lft, 900.0::double precision * sum(q.motorcycle_rgt) / sum(q.observed_s) as motorcycle_rgt,
    900.0::double precision * sum(q.car_lft) / sum(q.observed_s) as car_lft, 900.0::double precision * sum(q.car_rgt) / sum(q.observed_s) as car_rgt,
    900.0::double precision * sum(q.heavy_lft) / sum(q.observed_s) as heavy_lft, 900.0::double precision * sum(q.heavy_rgt) / sum(q.observed_s) as heavy_rgt,
    900.0::double precision * sum(q.night_lft) / sum(q.observed_s) as night_lft, 900.0::double precision * sum(q.night_rgt) / sum(q.observed_s) as night_rgt,
    bit_or(q.flags) as flags, coalesce(max(q.light) filter (where q.light <> 'u'), 'u') as light,
    sum_bins(q.car_speed)::double precision[] as car_speed
from installation_quarter q
where q.observed_s > 0
group by q.segment_id, q.period_start
union all
select m.segment_id, m.period_start, 900, m.source_id, 1, 1::smallint, m.uptime,
    m.pedestrian_lft, m.pedestrian_rgt, m.bike_lft, m.bike_rgt, m.motorcycle_lft, m.motorcycle_rgt,
    m.car_lft, m.car_rgt, m.heavy_lft, m.heavy_rgt, m.night_lft, m.night_rgt,
    0, 'u',
    (select array_agg(share * m.car * m.uptime / 100 order by i) from unnest(m.car_speed) with ordinality as b (share, i))
from (select imported.*, coalesce(car_lft, 0) + coalesce(car_rgt, 0) as car from imported
    where period_s = 900 and uptime > 0) m
where not exists (
    select from installation i join report r on r.sensor_id = i.sensor_id and r.period_start = m.period_start
    where i.segment_id = m.segment_id and r.period_start >= i.from_at and r.period_start < coalesce(i.until_at, 'infinity')
        and r.observed_s > 0
);

create view segment_hour as
select h.segment_id, h.period_start, 3600 as period_s, null::integer as source_id, count(*)::integer as installations,
    max(h.quarters) as quarters, max(h.uptime) as uptime,
    sum(h.pedestrian_lft * h.observed_s) / sum(h.observed_s) as pedestrian_lft, sum(h.pedestrian_rgt * h.observed_s) / sum(h.observed_s) as pedestrian_rgt,
    sum(h.bike_lft * h.observed_s) / sum(h.observed_s) as bike_lft, sum(h.bike_rgt * h.observed_s) / sum(h.observed_s) as bike_rgt,
    sum(h.motorcycle_lft * h.observed_s) / sum(h.observed_s) as motorcycle_lft, sum(h.motorcycle_rgt * h.observed_s) / sum(h.observed_s) as motorcycle_rgt,
    sum(h.car_lft * h.observed_s) / sum(h.observed_s) as car_lft, sum(h.car_rgt * h.observed_s) / sum(h.observed_s) as car_rgt,
    sum(h.heavy_lft * h.observed_s) / sum(h.observed_s) as heavy_lft, sum(h.heavy_rgt * h.observed_s) / sum(h.observed_s) as heavy_rgt,
    sum(h.night_lft * h.observed_s) / sum(h.observed_s) as night_lft, sum(h.night_rgt * h.observed_s) / sum(h.observed_s) as night_rgt,
    bit_or(h.flags) as flags, max(h.dark_s)::integer as dark_s,
    sum_bins(h.car_speed)::double precision[] as car_speed
from installation_hour h
group by h.segment_id, h.period_start
union all
select m.segment_id, m.hour_start, 3600, m.source_id, 1, m.quarters, m.uptime,
    m.pedestrian_lft, m.pedestrian_rgt, m.bike_lft, m.bike_rgt, m.motorcycle_lft, m.motorcycle_rgt,
    m.car_lft, m.car_rgt, m.heavy_lft, m.heavy_rgt, m.night_lft, m.night_rgt,
    0, 0, m.car_speed
from imported_hour m
where m.uptime > 0 and not exists (
    select from rollup_hour r join installation i using (installation_id)
    where i.segment_id = m.segment_id and r.hour_start = m.hour_start
);

create view segment_day as
select d.segment_id, d.day, min(d.period_start) as period_start, max(d.day_s) as period_s, null::integer as source_id,
    count(*)::integer as installations, max(d.hours) as hours, max(d.uptime) as uptime,
    sum(d.pedestrian_lft * d.observed_s) / sum(d.observed_s) as pedestrian_lft, sum(d.pedestrian_rgt * d.observed_s) / sum(d.observed_s) as pedestrian_rgt,
    sum(d.bike_lft * d.observed_s) / sum(d.observed_s) as bike_lft, sum(d.bike_rgt * d.observed_s) / sum(d.observed_s) as bike_rgt,
    sum(d.motorcycle_lft * d.observed_s) / sum(d.observed_s) as motorcycle_lft, sum(d.motorcycle_rgt * d.observed_s) / sum(d.observed_s) as motorcycle_rgt,
    sum(d.car_lft * d.observed_s) / sum(d.observed_s) as car_lft, sum(d.car_rgt * d.observed_s) / sum(d.observed_s) as car_rgt,
    sum(d.heavy_lft * d.observed_s) / sum(d.observed_s) as heavy_lft, sum(d.heavy_rgt * d.observed_s) / sum(d.observed_s) as heavy_rgt,
    sum(d.night_lft * d.observed_s) / sum(d.observed_s) as night_lft, sum(d.night_rgt * d.observed_s) / sum(d.observed_s) as night_rgt,
    bit_or(d.flags) as flags, max(d.dark_s) as dark_s,
    sum_bins(d.car_speed)::double precision[] as car_speed
from installation_day d
group by d.segment_id, d.day
union all
select m.segment_id, m.day, m.day_start,
    extract(epoch from (m.day + 1)::timestamp at time zone s.timezone - m.day_start)::integer, m.source_id, 1, m.hours, m.uptime,
    m.pedestrian_lft, m.pedestrian_rgt, m.bike_lft, m.bike_rgt, m.motorcycle_lft, m.motorcycle_rgt,
    m.car_lft, m.car_rgt, m.heavy_lft, m.heavy_rgt, m.night_lft, m.night_rgt,
    0, 0, m.car_speed
from imported_day m join segment s using (segment_id)
where m.uptime > 0 and not exists (
    select from rollup_day r join installation i using (installation_id)
    where i.segment_id = m.segment_id and r.day = m.day
);
