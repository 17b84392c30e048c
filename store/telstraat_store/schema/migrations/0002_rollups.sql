-- Hours and days added up from the quarters, and one place to read from: `installation_quarter|hour|day` for what one
-- sensor counted while it stood somewhere, `segment_quarter|hour|day` for the street, imported counts of others included.
--
-- The reading rule. A quarter seen in two epochs is two part observations: counts and seconds are added. A quarter with
-- observed seconds has data; an hour of k such quarters is 4/k * sum(n * 900 / observed_s); a day is the sum of its local
-- hours. `*_seen` is what was really counted, the plain name what that means for the whole period.

create function add_bins(so_far integer[], more integer[]) returns integer[] language sql immutable strict parallel safe
    as $$ select array_agg(a + b order by i) from unnest(so_far, more) with ordinality as t (a, b, i) $$;
create aggregate sum_bins(integer[]) (sfunc = add_bins, stype = integer[], parallel = safe, combinefunc = add_bins);

create view installation_quarter as
select i.installation_id, i.segment_id, i.sensor_id, r.period_start,
    least(sum(r.observed_s), 900)::integer as observed_s,
    sum(r.pedestrian_lft)::integer as pedestrian_lft, sum(r.pedestrian_rgt)::integer as pedestrian_rgt, sum(r.bike_lft)::integer as bike_lft,
    sum(r.bike_rgt)::integer as bike_rgt, sum(r.motorcycle_lft)::integer as motorcycle_lft, sum(r.motorcycle_rgt)::integer as motorcycle_rgt,
    sum(r.car_lft)::integer as car_lft, sum(r.car_rgt)::integer as car_rgt, sum(r.heavy_lft)::integer as heavy_lft,
    sum(r.heavy_rgt)::integer as heavy_rgt, sum(r.night_lft)::integer as night_lft, sum(r.night_rgt)::integer as night_rgt,
    min(r.pedestrian_conf) as pedestrian_conf, min(r.bike_conf) as bike_conf, min(r.car_conf) as car_conf,
    min(r.heavy_conf) as heavy_conf,
    bit_or(r.flags) as flags, coalesce(max(r.light::text) filter (where r.light <> 'u'), 'u') as light, sum_bins(r.car_speed::integer[]) as car_speed,
    max(r.received_at) as received_at
from installation i
join report r on r.sensor_id = i.sensor_id and r.period_start >= i.from_at
    and r.period_start < coalesce(i.until_at, 'infinity')
group by i.installation_id, r.period_start;

create table rollup_hour (
    installation_id  integer not null references installation on delete cascade,
    hour_start       timestamptz not null,
    quarters         smallint not null,              -- with data, 1 to 4
    observed_s       smallint not null,              -- 1 to 3600
    dark_s           smallint not null,              -- of these in the dark, where classes go to `night`
    flags            integer not null,
    pedestrian_lft_seen integer not null, pedestrian_rgt_seen integer not null, bike_lft_seen integer not null,
    bike_rgt_seen integer not null, motorcycle_lft_seen integer not null, motorcycle_rgt_seen integer not null,
    car_lft_seen integer not null, car_rgt_seen integer not null, heavy_lft_seen integer not null,
    heavy_rgt_seen integer not null, night_lft_seen integer not null, night_rgt_seen integer not null,
    pedestrian_lft double precision not null, pedestrian_rgt double precision not null, bike_lft double precision not null,
    bike_rgt double precision not null, motorcycle_lft double precision not null, motorcycle_rgt double precision not null,
    car_lft double precision not null, car_rgt double precision not null, heavy_lft double precision not null,
    heavy_rgt double precision not null, night_lft double precision not null, night_rgt double precision not null,
    car_speed        integer[],
    primary key (installation_id, hour_start)
);

create table rollup_day (
    installation_id  integer not null references installation on delete cascade,
    day              date not null,                  -- local, in the segment's time zone
    day_start        timestamptz not null,           -- when it began
    hours            smallint not null,              -- with data, 1 to 25
    quarters         smallint not null,              -- with data, 1 to 100
    observed_s       integer not null,
    dark_s           integer not null,
    flags            integer not null,
    pedestrian_lft_seen integer not null, pedestrian_rgt_seen integer not null, bike_lft_seen integer not null,
    bike_rgt_seen integer not null, motorcycle_lft_seen integer not null, motorcycle_rgt_seen integer not null,
    car_lft_seen integer not null, car_rgt_seen integer not null, heavy_lft_seen integer not null,
    heavy_rgt_seen integer not null, night_lft_seen integer not null, night_rgt_seen integer not null,
    pedestrian_lft double precision not null, pedestrian_rgt double precision not null, bike_lft double precision not null,
    bike_rgt double precision not null, motorcycle_lft double precision not null, motorcycle_rgt double precision not null,
    car_lft double precision not null, car_rgt double precision not null, heavy_lft double precision not null,
    heavy_rgt double precision not null, night_lft double precision not null, night_rgt double precision not null,
    car_speed        integer[],
    primary key (installation_id, day)
);
create index rollup_day_by_time on rollup_day (day);

-- Reports before this were dropped by retention; what was added up from them stays as it is.
create table retention (
    only_row      boolean primary key default true check (only_row),
    reports_from  timestamptz not null default '-infinity'
);
insert into retention default values;

-- Where a sensor stood, and in which time zone, decides what is added up where.
create function mark_installation_dirty() returns trigger language plpgsql as $$
begin
    if tg_op <> 'INSERT' then
        insert into rollup_dirty (sensor_id, from_at, until_at)
        values (old.sensor_id, old.from_at, coalesce(old.until_at, 'infinity'));
    end if;
    if tg_op <> 'DELETE' then
        insert into rollup_dirty (sensor_id, from_at, until_at)
        values (new.sensor_id, new.from_at, coalesce(new.until_at, 'infinity'));
    end if;
    if tg_op = 'UPDATE' then    -- what was added up while it stood elsewhere
        insert into rollup_dirty (sensor_id, from_at, until_at)
        values (new.sensor_id, old.from_at, coalesce(old.until_at, 'infinity'));
    end if;
    return null;
end $$;
create trigger installation_changed after insert or delete or update of sensor_id, segment_id, from_at, until_at
    on installation for each row execute function mark_installation_dirty();

create function mark_segment_dirty() returns trigger language plpgsql as $$
begin
    insert into rollup_dirty (sensor_id, from_at, until_at)
    select sensor_id, from_at, coalesce(until_at, 'infinity') from installation where segment_id = new.segment_id;
    return null;
end $$;
create trigger segment_zone_changed after update of timezone on segment
    for each row when (old.timezone is distinct from new.timezone) execute function mark_segment_dirty();

create view installation_hour as
select r.installation_id, i.segment_id, i.sensor_id, r.hour_start as period_start, r.quarters, r.observed_s, r.dark_s,
    r.flags, r.observed_s / 3600.0::double precision as uptime,
    r.pedestrian_lft_seen, r.pedestrian_rgt_seen, r.bike_lft_seen, r.bike_rgt_seen,
    r.motorcycle_lft_seen, r.motorcycle_rgt_seen, r.car_lft_seen, r.car_rgt_seen,
    r.heavy_lft_seen, r.heavy_rgt_seen, r.night_lft_seen, r.night_rgt_seen,
    r.pedestrian_lft, r.pedestrian_rgt, r.bike_lft, r.bike_rgt, r.motorcycle_lft, r.motorcycle_rgt,
    r.car_lft, r.car_rgt, r.heavy_lft, r.heavy_rgt, r.night_lft, r.night_rgt,
    r.car_speed
from rollup_hour r join installation i using (installation_id);

create view installation_day as
select r.installation_id, i.segment_id, i.sensor_id, r.day, r.day_start as period_start, d.day_s, r.hours, r.quarters,
    r.observed_s, r.dark_s, r.flags, r.observed_s / d.day_s::double precision as uptime,
    r.pedestrian_lft_seen, r.pedestrian_rgt_seen, r.bike_lft_seen, r.bike_rgt_seen,
    r.motorcycle_lft_seen, r.motorcycle_rgt_seen, r.car_lft_seen, r.car_rgt_seen,
    r.heavy_lft_seen, r.heavy_rgt_seen, r.night_lft_seen, r.night_rgt_seen,
    r.pedestrian_lft, r.pedestrian_rgt, r.bike_lft, r.bike_rgt, r.motorcycle_lft, r.motorcycle_rgt,
    r.car_lft, r.car_rgt, r.heavy_lft, r.heavy_rgt, r.night_lft, r.night_rgt,
    r.car_speed
from rollup_day r join installation i using (installation_id) join segment s using (segment_id)
cross join lateral (
    select extract(epoch from (r.day + 1)::timestamp at time zone s.timezone - r.day_start)::integer as day_s
) d;
