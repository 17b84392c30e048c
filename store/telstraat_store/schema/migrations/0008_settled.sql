-- What the public may read: hours to which their sensor will add nothing any more.
--
-- An hour that was shown with three of its quarters, and is shown again when the fourth has come late, tells what was in the
-- fourth: perhaps one passer-by. A sensor's hours are settled up to the last report before which nothing is missing, since
-- a closed quarter never changes and reports come in the order of their numbers. What was missing for longer than a device
-- keeps reports will not come.
--
-- The API reads public counts with the search path `settled, public`: the same queries, without what is not settled.

create view sensor_settled as
select v.sensor_id,
    date_trunc('hour', greatest(last.period_start + interval '15 minutes', now() - interval '31 days'), 'UTC') as until_at
from sensor v
left join lateral (
    select t.epoch_no, t.through from stream t where t.sensor_id = v.sensor_id order by t.epoch_no desc limit 1
) t on true
left join lateral (
    select r.period_start from report r
    where r.sensor_id = v.sensor_id and r.epoch_no = t.epoch_no and r.seq <= t.through
        and r.period_start >= now() - interval '32 days'     -- what lies before is settled anyway: look no further
    order by r.period_start desc limit 1
) last on true;

create schema settled;

create view settled.report as
select r.* from report r join sensor_settled s using (sensor_id) where r.period_start < s.until_at;

create view settled.rollup_hour as
select u.* from rollup_hour u join installation i using (installation_id) join sensor_settled s using (sensor_id)
where u.hour_start < s.until_at;

-- No local day is longer than 25 hours.
create view settled.rollup_day as
select u.* from rollup_day u join installation i using (installation_id) join sensor_settled s using (sensor_id)
where u.day_start + interval '25 hours' <= s.until_at;
