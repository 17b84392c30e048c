-- Two devices under one name. A quarter's parts (a sensor's epochs in it) are parts of one observation: their seconds add up to at
-- most 900. Where they add up to more, they cannot all be parts: two devices have seen the same traffic, and what they have counted
-- together is divided by the seconds that they have observed together.
--
-- The rule stands here, once; views, rollups and the API call it. Plain functions, which the planner puts in line.

-- What of the sum of all parts counts for one quarter: the share that brings their seconds down to 900.
create function parts_share(seconds bigint) returns double precision language sql immutable parallel safe
    as $$ select 900.0::double precision / greatest(seconds, 900) $$;

-- The flags of a quarter, with `shared_name` (4096) where its parts cannot all be parts. Each part's seconds are rounded.
create function parts_flags(flags integer, seconds bigint, parts bigint) returns integer language sql immutable parallel safe
    as $$ select case when seconds > 900 + parts then flags | 4096 else flags end $$;

-- A sum that is too large for its column is the largest number of that column: one street's nonsense stops no other's sums.
create function saturated(total bigint) returns integer language sql immutable parallel safe
    as $$ select least(total, 2147483647)::integer $$;

create or replace view installation_quarter as
select i.installation_id, i.segment_id, i.sensor_id, r.period_start,
    least(sum(r.observed_s), 900)::integer as observed_s,
    saturated(sum(r.pedestrian_lft)) as pedestrian_lft, saturated(sum(r.pedestrian_rgt)) as pedestrian_rgt,
    saturated(sum(r.bike_lft)) as bike_lft, saturated(sum(r.bike_rgt)) as bike_rgt,
    saturated(sum(r.motorcycle_lft)) as motorcycle_lft, saturated(sum(r.motorcycle_rgt)) as motorcycle_rgt,
    saturated(sum(r.car_lft)) as car_lft, saturated(sum(r.car_rgt)) as car_rgt,
    saturated(sum(r.heavy_lft)) as heavy_lft, saturated(sum(r.heavy_rgt)) as heavy_rgt,
    saturated(sum(r.night_lft)) as night_lft, saturated(sum(r.night_rgt)) as night_rgt,
    min(r.pedestrian_conf) as pedestrian_conf, min(r.bike_conf) as bike_conf, min(r.car_conf) as car_conf,
    min(r.heavy_conf) as heavy_conf,
    parts_flags(bit_or(r.flags), sum(r.observed_s), count(*)) as flags,
    coalesce(max(r.light::text) filter (where r.light <> 'u'), 'u') as light, sum_bins(r.car_speed::integer[]) as car_speed,
    max(r.received_at) as received_at, sum(r.observed_s) as parts_s
from installation i
join report r on r.sensor_id = i.sensor_id and r.period_start >= i.from_at
    and r.period_start < coalesce(i.until_at, 'infinity')
group by i.installation_id, r.period_start;

create or replace view segment_quarter as
select q.segment_id, q.period_start, 900 as period_s, null::integer as source_id, count(*)::integer as installations,
    1::smallint as quarters, max(q.observed_s) / 900.0::double precision as uptime,
    900.0::double precision * sum(q.pedestrian_lft * parts_share(q.parts_s)) / sum(q.observed_s) as pedestrian_lft, 900.0::double precision * sum(q.pedestrian_rgt * parts_share(q.parts_s)) / sum(q.observed_s) as pedestrian_rgt,
    900.0::double precision * sum(q.bike_lft * parts_share(q.parts_s)) / sum(q.observed_s) as bike_lft, 900.0::double precision * sum(q.bike_rgt * parts_share(q.parts_s)) / sum(q.observed_s) as bike_rgt,
    900.0::double precision * sum(q.motorcycle_lft * parts_share(q.parts_s)) / sum(q.observed_s) as motorcycle_lft, 900.0::double precision * sum(q.motorcycle_rgt * parts_share(q.parts_s)) / sum(q.observed_s) as motorcycle_rgt,
    900.0::double precision * sum(q.car_lft * parts_share(q.parts_s)) / sum(q.observed_s) as car_lft, 900.0::double precision * sum(q.car_rgt * parts_share(q.parts_s)) / sum(q.observed_s) as car_rgt,
    900.0::double precision * sum(q.heavy_lft * parts_share(q.parts_s)) / sum(q.observed_s) as heavy_lft, 900.0::double precision * sum(q.heavy_rgt * parts_share(q.parts_s)) / sum(q.observed_s) as heavy_rgt,
    900.0::double precision * sum(q.night_lft * parts_share(q.parts_s)) / sum(q.observed_s) as night_lft, 900.0::double precision * sum(q.night_rgt * parts_share(q.parts_s)) / sum(q.observed_s) as night_rgt,
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

-- What was added up by the rule before. Only sensors with several epochs can have such quarters.
insert into rollup_dirty (sensor_id, from_at, until_at)
select distinct sensor_id, date_trunc('hour', period_start, 'UTC'), date_trunc('hour', period_start, 'UTC') + interval '1 hour'
from (
    select sensor_id, period_start from report
    where sensor_id in (select sensor_id from stream group by sensor_id having count(*) > 1)
    group by sensor_id, period_start having sum(observed_s) > 900
) doubled;
