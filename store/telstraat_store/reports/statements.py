"""The SQL of one batch, in the order in which it runs; all of it in one transaction."""

from __future__ import annotations

from collections.abc import Iterable

from telstraat_contract.messages import SEQ_MAX
from telstraat_contract.road_users import CONFIDENCE_COLUMNS, COUNT_COLUMNS

LENGTH = f"(coalesce(upper(r)::bigint, {SEQ_MAX + 1}) - lower(r))"
"""How many numbers a range `r` has."""

SENSORS = "select name, sensor_id, retired_at is not null from sensor where name = any(%s)"

# Weaker than `for update`, which a foreign key's check on the sensor would wait for, with streams locked already: a deadlock.
LOCK_SENSORS = "select from sensor where sensor_id = any(%s) order by sensor_id for no key update"

# A sensor begins only so many streams a day, and only as many as can be numbered: what is left out here is over the limit.
NEW_STREAMS = """
with asked as (
    select sensor_id, epoch, row_number() over (partition by sensor_id order by epoch) as place
    from unnest(%(sensors)s::int[], %(epochs)s::bigint[]) as n (sensor_id, epoch)
    where not exists (select from stream s where s.sensor_id = n.sensor_id and s.epoch = n.epoch)
), had as (
    select sensor_id, max(epoch_no) as last, count(*) filter (where first_at > now() - interval '1 day') as today
    from stream where sensor_id = any(%(sensors)s::int[]) group by sensor_id
)
insert into stream (sensor_id, epoch_no, epoch)
select sensor_id, coalesce(last, 0) + place, epoch from asked left join had using (sensor_id)
where coalesce(last, 0) + place <= %(most)s and coalesce(today, 0) + place <= %(a_day)s
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

_MEASURED = ("seq", "flags", "observed_s", *COUNT_COLUMNS)


def _names(names: Iterable[str], table: str = "") -> str:
    return ", ".join(table + name for name in names)


def _confidence(table: str = "") -> str:
    """Return the confidences of the stage, where -1 stands for null."""
    return ", ".join(f"nullif({table}{name}, -1)" for name in CONFIDENCE_COLUMNS)


def _insert(column: str = "", value: str = "") -> str:
    """Return how the stage becomes reports; a column more, and its value, each begins with a comma."""
    return f"""
insert into report (period_start, sensor_id, epoch_no, {_names(_MEASURED)}, {_names(CONFIDENCE_COLUMNS)}, light, car_speed{column})
select period_start, sensor_id, epoch_no, {_names(_MEASURED)}, {_confidence()}, light, car_speed{value}
from stage order by sensor_id, epoch_no, period_start, ordinal
on conflict do nothing
"""  # noqa: S608  (constants of this module)


INSERT = _insert()

# Reports of the past, as if each had come when its quarter was over: how old the last news of a sensor is must stay true.
_RECEIVED = "interval '15 minutes 5 seconds'"
INSERT_PAST = _insert(", received_at", f", least(now(), period_start + {_RECEIVED})")
PAST_STREAM = f"""
update stream s set first_at = least(s.first_at, c.first_at), last_at = least(now(), c.last_at) from (
    select sensor_id, epoch_no, min(period_start) as first_at, max(period_start) + {_RECEIVED} as last_at
    from stage group by sensor_id, epoch_no
) c where s.sensor_id = c.sensor_id and s.epoch_no = c.epoch_no
"""  # noqa: S608  (constants of this module)

CONTRADICTIONS = f"""
select t.ordinal, to_jsonb(r) from stage t join report r using (sensor_id, epoch_no, period_start)
where ({_names(_MEASURED, "t.")}, {_confidence("t.")}, t.light, t.car_speed)
    is distinct from ({_names(_MEASURED, "r.")}, {_names(CONFIDENCE_COLUMNS, "r.")}, r.light, r.car_speed)
"""  # noqa: S608  (constants of this module)

FORGET_CONTRADICTIONS = "delete from stage where ordinal = any(%s)"

# Ranges are half open, and no integer follows the highest number: a range that ends with it has no upper bound.
_AFTER = f"nullif({{0}}, {SEQ_MAX}) + 1"
_GROWN = f"""case when {{0}}.last > s.seen then s.missing + int4multirange(int4range(s.seen + 1, {_AFTER.format("{0}.last")}))
        else s.missing end"""
_MISSING = _GROWN.format("c") + " - c.seqs"
_STATE = """s.sensor_id, s.epoch_no, s.epoch, s.through, s.seen, s.missing::text,
    greatest(pg_column_size(s.lost), pg_column_size(s.refused))"""

# A stream grows by everything up to the highest number heard of, and loses from `missing` what has come.
TAKE = f"""
update stream s set seen = greatest(s.seen, c.last), missing = {_MISSING}, lost = s.lost - c.seqs, refused = s.refused - c.seqs,
    last_at = now(), gap_since = case when isempty({_MISSING}) then null else coalesce(s.gap_since, now()) end
from (
    select sensor_id, epoch_no, max(seq) as last, range_agg(int4range(seq, {_AFTER.format("seq")})) as seqs
    from stage group by sensor_id, epoch_no
) c where s.sensor_id = c.sensor_id and s.epoch_no = c.epoch_no
returning {_STATE}
"""  # noqa: S608  (constants of this module)

# What is heard of a stream beside its reports: how far it is (status, health), what is lost, what was refused.
HEAR = f"""
with heard as (
    select * from unnest(%s::int[], %s::smallint[], %s::int[], %s::int4multirange[], %s::int4multirange[])
        as h (sensor_id, epoch_no, last, lost, refused)
), grown as (
    select sensor_id, epoch_no, h.lost, h.refused, greatest(s.seen, h.last) as seen,
        {_GROWN.format("h")} as missing
    from stream s join heard h using (sensor_id, epoch_no)
)
update stream s set seen = g.seen, missing = g.missing - g.lost - g.refused, lost = s.lost + g.missing * g.lost,
    refused = s.refused + g.missing * (g.refused - g.lost),
    gap_since = case when isempty(g.missing - g.lost - g.refused) then null else coalesce(s.gap_since, now()) end
from grown g where s.sensor_id = g.sensor_id and s.epoch_no = g.epoch_no
returning {_STATE}
"""  # noqa: S608  (constants of this module)

# A stream with more ranges than it may have. Of what is missing the first stay as they are: only they are told in receipts. The
# rest becomes one range; what of it was committed is asked for once more, and no number counts as settled that is not. Of the
# lost and the refused, which nobody is told of again, the newest stay.
BOUND = f"""
with gaps as (
    select s.sensor_id, s.epoch_no, s.lost, s.refused, coalesce((
        select range_agg(case when i < %(most)s then r else int4range(lower(r), upper(s.missing)) end)
        from unnest(s.missing) with ordinality as u (r, i) where i <= %(most)s), '{{}}') as missing
    from stream s join unnest(%(sensors)s::int[], %(numbers)s::smallint[]) as n (sensor_id, epoch_no) using (sensor_id, epoch_no)
), bounded as (
    select sensor_id, epoch_no, missing, lost - missing as all_lost,
        coalesce((select range_agg(r) from (select r from unnest(lost - missing) r order by r desc limit %(most)s) x), '{{}}') as lost,
        coalesce((select range_agg(r) from (select r from unnest(refused - missing) r order by r desc limit %(most)s) x), '{{}}')
            as refused
    from gaps
)
update stream s set missing = b.missing, lost = b.lost, refused = b.refused,
    lost_earlier = s.lost_earlier + coalesce((select sum({LENGTH}) from unnest(b.all_lost - b.lost) r), 0)
from bounded b where s.sensor_id = b.sensor_id and s.epoch_no = b.epoch_no
returning {_STATE}
"""  # noqa: S608  (constants of this module)

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

QUARANTINE = """
insert into quarantine (sensor_id, topic, reason, detail, payload, payload_bytes, payload_sha256, stored)
values (%s, %s, %s, %s, %s, %s, %s, %s)
on conflict (topic, reason, payload_sha256) do update set times = quarantine.times + 1, last_at = now()
"""

QUARANTINE_ROW_BYTES = 500
"""What a row takes beside its payload: reason, detail, checksum and its entries in the indexes."""
QUARANTINE_USED = f"""
select topic, sum(octet_length(payload) + octet_length(coalesce(stored::text, '')) + {QUARANTINE_ROW_BYTES}) from quarantine
where topic = any(%s) group by topic
"""  # noqa: S608  (a constant)

MAKE_PARTITIONS = "select make_report_partition(to_timestamp(day)) from unnest(%s::bigint[]) as day"
"""Of the days, given as seconds since 1970, that a batch has reports of."""
