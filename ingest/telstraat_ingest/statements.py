"""The SQL of one batch, in the order in which it runs; all of it in one transaction."""

from __future__ import annotations

SENSORS = "select name, sensor_id, retired_at is not null from sensor where name = any(%s)"

# Weaker than `for update`, which a foreign key's check on the sensor would wait for, with streams locked already: a deadlock.
LOCK_SENSORS = "select from sensor where sensor_id = any(%s) order by sensor_id for no key update"

NEW_STREAMS = """
insert into stream (sensor_id, epoch_no, epoch)
select n.sensor_id,
    (select coalesce(max(s.epoch_no), 0) from stream s where s.sensor_id = n.sensor_id)
        + row_number() over (partition by n.sensor_id order by n.epoch),
    n.epoch
from unnest(%s::int[], %s::bigint[]) as n (sensor_id, epoch)
where not exists (select from stream s where s.sensor_id = n.sensor_id and s.epoch = n.epoch)
"""

STREAMS = """
select s.sensor_id, s.epoch, s.epoch_no
from stream s join unnest(%s::int[], %s::bigint[]) as n (sensor_id, epoch) using (sensor_id, epoch)
"""

# Always in the same order, so that two ingesters with the same sensors wait for each other and never deadlock.
LOCK_STREAMS = """
select from stream s join unnest(%s::int[], %s::smallint[]) as n (sensor_id, epoch_no) using (sensor_id, epoch_no)
order by s.sensor_id, s.epoch_no for update of s
"""

_MEASURED = """seq, flags, observed_s, pedestrian_lft, pedestrian_rgt, bike_lft, bike_rgt, motorcycle_lft, motorcycle_rgt,
    car_lft, car_rgt, heavy_lft, heavy_rgt, night_lft, night_rgt"""
_CONFIDENCE = (
    "nullif({0}pedestrian_conf, -1), nullif({0}bike_conf, -1), nullif({0}car_conf, -1), nullif({0}heavy_conf, -1)"
)

INSERT = f"""
insert into report (period_start, sensor_id, epoch_no, {_MEASURED}, pedestrian_conf, bike_conf, car_conf, heavy_conf,
    light, car_speed)
select period_start, sensor_id, epoch_no, {_MEASURED}, {_CONFIDENCE.format("")}, light, car_speed
from stage order by sensor_id, epoch_no, period_start, ordinal
on conflict do nothing
"""  # noqa: S608  (constants of this module)

CONTRADICTIONS = f"""
select t.ordinal, to_jsonb(r) from stage t join report r using (sensor_id, epoch_no, period_start)
where ({", ".join(f"t.{name.strip()}" for name in _MEASURED.split(","))}, {_CONFIDENCE.format("t.")}, t.light, t.car_speed)
    is distinct from
    ({", ".join(f"r.{name.strip()}" for name in _MEASURED.split(","))}, r.pedestrian_conf, r.bike_conf, r.car_conf,
    r.heavy_conf, r.light, r.car_speed)
"""  # noqa: S608  (constants of this module)

FORGET_CONTRADICTIONS = "delete from stage where ordinal = any(%s)"

_MISSING = """case when c.last > s.seen then s.missing + int4multirange(int4range(s.seen + 1, c.last, '[]')) else s.missing end
        - c.seqs"""

# A stream grows by everything up to the highest number heard of, and loses from `missing` what has come.
TAKE = f"""
update stream s set seen = greatest(s.seen, c.last), missing = {_MISSING}, lost = s.lost - c.seqs, refused = s.refused - c.seqs,
    last_at = now(), gap_since = case when isempty({_MISSING}) then null else coalesce(s.gap_since, now()) end
from (
    select sensor_id, epoch_no, max(seq) as last, range_agg(int4range(seq, seq, '[]')) as seqs
    from stage group by sensor_id, epoch_no
) c where s.sensor_id = c.sensor_id and s.epoch_no = c.epoch_no
returning s.sensor_id, s.epoch_no, s.epoch, s.through, s.seen, s.missing::text
"""  # noqa: S608  (constants of this module)

# What is heard of a stream beside its reports: how far it is (status, health), what is lost, what was refused.
HEAR = """
with heard as (
    select * from unnest(%s::int[], %s::smallint[], %s::int[], %s::int4multirange[], %s::int4multirange[])
        as h (sensor_id, epoch_no, last, lost, refused)
), grown as (
    select sensor_id, epoch_no, h.lost, h.refused, greatest(s.seen, h.last) as seen,
        case when h.last > s.seen then s.missing + int4multirange(int4range(s.seen + 1, h.last, '[]')) else s.missing end
            as missing
    from stream s join heard h using (sensor_id, epoch_no)
)
update stream s set seen = g.seen, missing = g.missing - g.lost - g.refused, lost = s.lost + g.missing * g.lost,
    refused = s.refused + g.missing * (g.refused - g.lost),
    gap_since = case when isempty(g.missing - g.lost - g.refused) then null else coalesce(s.gap_since, now()) end
from grown g where s.sensor_id = g.sensor_id and s.epoch_no = g.epoch_no
returning s.sensor_id, s.epoch_no, s.epoch, s.through, s.seen, s.missing::text
"""

# One mark for each sensor and day: a batch of a backlog has many quarters of the same.
DIRTY = """
insert into rollup_dirty (sensor_id, from_at, until_at)
select sensor_id, date_trunc('hour', min(period_start), 'UTC'), date_trunc('hour', max(period_start), 'UTC') + interval '1 hour'
from stage group by sensor_id, date_bin('1 day', period_start, '2000-01-01 00:00+00')
"""

HEALTH = """
insert into sensor_health (sensor_id, online, health)
select * from unnest(%s::int[], %s::bool[], %s::jsonb[])
on conflict (sensor_id) do update set received_at = now(), online = excluded.online,
    health = coalesce(excluded.health, sensor_health.health)
"""

LIVE = "select pg_notify('telstraat_live', message) from unnest(%s::text[]) as message"
