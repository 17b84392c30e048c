-- Imported counts: a class that was not counted is null in every sum; speeds are kept as they came; days are made of local hours.

alter table imported_hour add column v85_kmh double precision;     -- as published for the hour; null when only shares came

-- Bins of 5 and of 10 km/h add up to the coarser ones.
create function coarse_bins(bins double precision[]) returns double precision[] language sql immutable strict parallel safe
    as $$
        select case when cardinality(bins) = 8 then bins else (
            select array_agg(n order by bin) from (
                select least((i - 1) / 2, 7) as bin, sum(b) as n from unnest(bins) with ordinality as t (b, i) group by 1
            ) as coarse
        ) end
    $$;
create or replace function add_shares(so_far double precision[], more double precision[]) returns double precision[]
    language sql immutable strict parallel safe
    as $$
        select case when cardinality(so_far) <> cardinality(more) then add_shares(coarse_bins(so_far), coarse_bins(more))
            else (select array_agg(a + b order by i) from unnest(so_far, more) with ordinality as t (a, b, i)) end
    $$;

-- What of the imported counts is added up: hours as given, and quarters where no given hour covers them. Nothing was counted
-- while nobody watched, whatever number came along.
create view imported_part as
select m.segment_id, m.period_start, m.period_s, m.source_id, m.uptime,
    case when m.uptime > 0 then m.pedestrian_lft end as pedestrian_lft, case when m.uptime > 0 then m.pedestrian_rgt end as pedestrian_rgt,
    case when m.uptime > 0 then m.bike_lft end as bike_lft, case when m.uptime > 0 then m.bike_rgt end as bike_rgt,
    case when m.uptime > 0 then m.motorcycle_lft end as motorcycle_lft, case when m.uptime > 0 then m.motorcycle_rgt end as motorcycle_rgt,
    case when m.uptime > 0 then m.car_lft end as car_lft, case when m.uptime > 0 then m.car_rgt end as car_rgt,
    case when m.uptime > 0 then m.heavy_lft end as heavy_lft, case when m.uptime > 0 then m.heavy_rgt end as heavy_rgt,
    case when m.uptime > 0 then m.night_lft end as night_lft, case when m.uptime > 0 then m.night_rgt end as night_rgt,
    m.v85_kmh,
    (select array_agg(share * (coalesce(m.car_lft, 0) + coalesce(m.car_rgt, 0)) * m.uptime / 100 order by i)
        from unnest(m.car_speed) with ordinality as b (share, i)
        where m.uptime > 0 and (m.car_lft is not null or m.car_rgt is not null)) as car_speed   -- cars seen per bin
from imported m
where m.period_s = 3600 or not exists (
    select from imported g where g.segment_id = m.segment_id and g.period_s = 3600
        and g.period_start > m.period_start - interval '1 hour' and g.period_start <= m.period_start
);

-- Add the hours of some periods up again. Quarters make hours of UTC, as a sensor's do: the mean of those in which a class was
-- counted, four times; null when it was in none.
create function add_imported_hours(segments bigint[], starts timestamptz[], lengths_s integer[]) returns void
language plpgsql as $$
begin
    create temp table imported_touched on commit drop as
    select distinct t.segment_id, h.hour_start
    from unnest(segments, starts, lengths_s) as t (segment_id, period_start, period_s)
    cross join lateral (values
        (date_trunc('hour', t.period_start, 'UTC')),
        (case when t.period_s = 3600 then t.period_start end),          -- given hours may begin at half past
        (case when t.period_s = 3600 then date_trunc('hour', t.period_start + interval '45 minutes', 'UTC') end)
    ) as h (hour_start)
    where h.hour_start is not null;
    analyze imported_touched;
    delete from imported_hour h using imported_touched t where h.segment_id = t.segment_id and h.hour_start = t.hour_start;
    insert into imported_hour (segment_id, hour_start, source_id, quarters, uptime,
        pedestrian_lft, pedestrian_rgt, bike_lft, bike_rgt, motorcycle_lft, motorcycle_rgt,
        car_lft, car_rgt, heavy_lft, heavy_rgt, night_lft, night_rgt, v85_kmh, car_speed)
    select t.segment_id, t.hour_start, min(p.source_id),
        case when bool_or(p.period_s = 3600) then 4 * max((p.uptime > 0)::int) else count(*) filter (where p.uptime > 0) end,
        case when bool_or(p.period_s = 3600) then max(p.uptime) else sum(p.uptime) / 4 end,
        case when bool_or(p.period_s = 3600) then 1 else 4 end * avg(p.pedestrian_lft),
        case when bool_or(p.period_s = 3600) then 1 else 4 end * avg(p.pedestrian_rgt),
        case when bool_or(p.period_s = 3600) then 1 else 4 end * avg(p.bike_lft),
        case when bool_or(p.period_s = 3600) then 1 else 4 end * avg(p.bike_rgt),
        case when bool_or(p.period_s = 3600) then 1 else 4 end * avg(p.motorcycle_lft),
        case when bool_or(p.period_s = 3600) then 1 else 4 end * avg(p.motorcycle_rgt),
        case when bool_or(p.period_s = 3600) then 1 else 4 end * avg(p.car_lft),
        case when bool_or(p.period_s = 3600) then 1 else 4 end * avg(p.car_rgt),
        case when bool_or(p.period_s = 3600) then 1 else 4 end * avg(p.heavy_lft),
        case when bool_or(p.period_s = 3600) then 1 else 4 end * avg(p.heavy_rgt),
        case when bool_or(p.period_s = 3600) then 1 else 4 end * avg(p.night_lft),
        case when bool_or(p.period_s = 3600) then 1 else 4 end * avg(p.night_rgt),
        max(p.v85_kmh) filter (where p.period_s = 3600), sum_shares(p.car_speed)
    from imported_touched t join imported_part p on p.segment_id = t.segment_id and (
        (p.period_s = 3600 and p.period_start = t.hour_start)
        or (p.period_s = 900 and p.period_start >= t.hour_start and p.period_start < t.hour_start + interval '1 hour'
            and t.hour_start = date_trunc('hour', t.hour_start, 'UTC'))
    )
    group by t.segment_id, t.hour_start;
    drop table imported_touched;
end $$;

-- Add the local days of some periods up again, from the hours that pass since local midnight: where a zone lies half an hour
-- beside UTC, an hour of UTC belongs to two days. A day of 23.5 or 24.5 hours has a last hour of two quarters.
create function add_imported_days(segments bigint[], starts timestamptz[]) returns void language sql as $$
with touched as (
    select distinct t.segment_id, s.timezone, (t.period_start at time zone s.timezone)::date as day
    from unnest(segments, starts) as t (segment_id, period_start) join segment s using (segment_id)
), bounds as (
    select segment_id, day, day::timestamp at time zone timezone as day_start,
        (day + 1)::timestamp at time zone timezone as day_end
    from touched
), hours as (
    select b.segment_id, b.day, b.day_start, b.day_end, min(p.source_id) as source_id,
        bool_or(p.uptime > 0) as has_data, sum(p.uptime * p.period_s) as watched_s,
        case when p.period_s = 3600 then sum(p.pedestrian_lft) else min(w.quarters) * avg(p.pedestrian_lft) end as pedestrian_lft,
        case when p.period_s = 3600 then sum(p.pedestrian_rgt) else min(w.quarters) * avg(p.pedestrian_rgt) end as pedestrian_rgt,
        case when p.period_s = 3600 then sum(p.bike_lft) else min(w.quarters) * avg(p.bike_lft) end as bike_lft,
        case when p.period_s = 3600 then sum(p.bike_rgt) else min(w.quarters) * avg(p.bike_rgt) end as bike_rgt,
        case when p.period_s = 3600 then sum(p.motorcycle_lft) else min(w.quarters) * avg(p.motorcycle_lft) end as motorcycle_lft,
        case when p.period_s = 3600 then sum(p.motorcycle_rgt) else min(w.quarters) * avg(p.motorcycle_rgt) end as motorcycle_rgt,
        case when p.period_s = 3600 then sum(p.car_lft) else min(w.quarters) * avg(p.car_lft) end as car_lft,
        case when p.period_s = 3600 then sum(p.car_rgt) else min(w.quarters) * avg(p.car_rgt) end as car_rgt,
        case when p.period_s = 3600 then sum(p.heavy_lft) else min(w.quarters) * avg(p.heavy_lft) end as heavy_lft,
        case when p.period_s = 3600 then sum(p.heavy_rgt) else min(w.quarters) * avg(p.heavy_rgt) end as heavy_rgt,
        case when p.period_s = 3600 then sum(p.night_lft) else min(w.quarters) * avg(p.night_lft) end as night_lft,
        case when p.period_s = 3600 then sum(p.night_rgt) else min(w.quarters) * avg(p.night_rgt) end as night_rgt,
        sum_shares(p.car_speed) as car_speed
    from bounds b
    join imported_part p on p.segment_id = b.segment_id and p.period_start >= b.day_start and p.period_start < b.day_end
    cross join lateral (select floor(extract(epoch from p.period_start - b.day_start) / 3600) as hour) h
    cross join lateral (
        select least(4, extract(epoch from b.day_end - b.day_start) / 900 - 4 * h.hour)::double precision as quarters
    ) w
    group by b.segment_id, b.day, b.day_start, b.day_end, p.period_s, h.hour
)
insert into imported_day (segment_id, day, day_start, source_id, hours, uptime,
    pedestrian_lft, pedestrian_rgt, bike_lft, bike_rgt, motorcycle_lft, motorcycle_rgt,
    car_lft, car_rgt, heavy_lft, heavy_rgt, night_lft, night_rgt, car_speed)
select segment_id, day, day_start, min(source_id), count(*) filter (where has_data),
    sum(watched_s) / extract(epoch from day_end - day_start),
    sum(pedestrian_lft), sum(pedestrian_rgt), sum(bike_lft), sum(bike_rgt), sum(motorcycle_lft), sum(motorcycle_rgt),
    sum(car_lft), sum(car_rgt), sum(heavy_lft), sum(heavy_rgt), sum(night_lft), sum(night_rgt), sum_shares(car_speed)
from hours group by segment_id, day, day_start, day_end
on conflict (segment_id, day) do update set
    (day_start, source_id, hours, uptime,
    pedestrian_lft, pedestrian_rgt, bike_lft, bike_rgt, motorcycle_lft, motorcycle_rgt,
    car_lft, car_rgt, heavy_lft, heavy_rgt, night_lft, night_rgt, car_speed) =
    (excluded.day_start, excluded.source_id, excluded.hours, excluded.uptime,
    excluded.pedestrian_lft, excluded.pedestrian_rgt, excluded.bike_lft, excluded.bike_rgt,
    excluded.motorcycle_lft, excluded.motorcycle_rgt, excluded.car_lft, excluded.car_rgt,
    excluded.heavy_lft, excluded.heavy_rgt, excluded.night_lft, excluded.night_rgt, excluded.car_speed)
$$;

-- The days of a street whose time zone was corrected are other days.
create function add_imported_days_again() returns trigger language plpgsql as $$
begin
    delete from imported_day where segment_id = new.segment_id;
    perform add_imported_days(array_agg(segment_id), array_agg(period_start)) from imported where segment_id = new.segment_id;
    return null;
end $$;
create trigger segment_zone_changes_imported_days after update of timezone on segment
    for each row when (old.timezone is distinct from new.timezone) execute function add_imported_days_again();

-- What was added up by the earlier rule.
do $again$
declare
    street bigint;
begin
    for street in select distinct segment_id from imported loop
        perform add_imported_hours(array_agg(segment_id), array_agg(period_start), array_agg(period_s)),
            add_imported_days(array_agg(segment_id), array_agg(period_start))
        from imported where segment_id = street;
    end loop;
end $again$;
