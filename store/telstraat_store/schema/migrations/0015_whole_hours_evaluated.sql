-- Whole hours wherever the public reads (decision 072): of imported quarters, and of what an evaluation is computed from.
--
-- An hour of which one quarter was imported tells that quarter, as an hour of a sensor does; so does an hour in which a class was
-- counted in some of its quarters only. A published evaluation shows levels of weeks: the public knows all hours of a week
-- but the one of which one quarter was watched.

create view settled.imported_hour as
select h.* from public.imported_hour h
where h.quarters in (0, 4) and not exists (   -- 0: nobody watched, and nothing was counted
    select from public.imported_part p
    where p.segment_id = h.segment_id and p.period_s = 900
        and p.period_start >= h.hour_start and p.period_start < h.hour_start + interval '1 hour'
    having count(distinct array[
        p.pedestrian_lft is null, p.pedestrian_rgt is null, p.bike_lft is null, p.bike_rgt is null,
        p.motorcycle_lft is null, p.motorcycle_rgt is null, p.car_lft is null, p.car_rgt is null,
        p.heavy_lft is null, p.heavy_rgt is null, p.night_lft is null, p.night_rgt is null]) > 1
);

create view settled.imported_part as
select p.* from public.imported_part p
where p.period_s = 3600 or exists (
    select from settled.imported_hour h
    where h.segment_id = p.segment_id and h.hour_start = date_trunc('hour', p.period_start, 'UTC')
);

-- A day gets the hours that begin in it.
create view settled.imported_day as
select h.segment_id, d.day, d.day_start, min(h.source_id) as source_id,
    (count(*) filter (where h.quarters = 4))::smallint as hours,
    sum(h.uptime) * 3600 / extract(epoch from (d.day + 1)::timestamp at time zone s.timezone - d.day_start) as uptime,
    sum(h.pedestrian_lft) as pedestrian_lft, sum(h.pedestrian_rgt) as pedestrian_rgt,
    sum(h.bike_lft) as bike_lft, sum(h.bike_rgt) as bike_rgt,
    sum(h.motorcycle_lft) as motorcycle_lft, sum(h.motorcycle_rgt) as motorcycle_rgt,
    sum(h.car_lft) as car_lft, sum(h.car_rgt) as car_rgt,
    sum(h.heavy_lft) as heavy_lft, sum(h.heavy_rgt) as heavy_rgt,
    sum(h.night_lft) as night_lft, sum(h.night_rgt) as night_rgt, sum_shares(h.car_speed) as car_speed
from settled.imported_hour h join segment s using (segment_id)
cross join lateral (select (h.hour_start at time zone s.timezone)::date as day) l
cross join lateral (select l.day, l.day::timestamp at time zone s.timezone as day_start) d
group by h.segment_id, d.day, d.day_start, s.timezone;

create view settled.segment_hour as
select i.segment_id, u.hour_start as period_start, null::integer as source_id, max(u.observed_s) / 3600.0::double precision as uptime,
    sum(u.pedestrian_lft * u.observed_s) / sum(u.observed_s) as pedestrian_lft,
    sum(u.pedestrian_rgt * u.observed_s) / sum(u.observed_s) as pedestrian_rgt,
    sum(u.bike_lft * u.observed_s) / sum(u.observed_s) as bike_lft, sum(u.bike_rgt * u.observed_s) / sum(u.observed_s) as bike_rgt,
    sum(u.car_lft * u.observed_s) / sum(u.observed_s) as car_lft, sum(u.car_rgt * u.observed_s) / sum(u.observed_s) as car_rgt,
    sum(u.heavy_lft * u.observed_s) / sum(u.observed_s) as heavy_lft, sum(u.heavy_rgt * u.observed_s) / sum(u.observed_s) as heavy_rgt,
    sum(u.night_lft * u.observed_s) / sum(u.observed_s) as night_lft, sum(u.night_rgt * u.observed_s) / sum(u.observed_s) as night_rgt,
    sum_bins(u.car_speed)::double precision[] as car_speed
from settled.rollup_hour u join installation i using (installation_id)
group by i.segment_id, u.hour_start
union all
select m.segment_id, m.hour_start, m.source_id, m.uptime, m.pedestrian_lft, m.pedestrian_rgt, m.bike_lft, m.bike_rgt,
    m.car_lft, m.car_rgt, m.heavy_lft, m.heavy_rgt, m.night_lft, m.night_rgt, m.car_speed
from settled.imported_hour m
where m.uptime > 0 and not exists (
    select from settled.rollup_hour r join installation i using (installation_id)
    where i.segment_id = m.segment_id and r.hour_start = m.hour_start
);
