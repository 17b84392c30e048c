-- Days are made of the hours that pass since local midnight, a sensor's as imported ones: where the clock changes by half an hour, the
-- last hour of that day has two quarters and was scaled up to four. One zone does so; what was added up there is added up again.

insert into rollup_dirty (sensor_id, from_at, until_at)
select i.sensor_id, min(d.day_start), max(d.day_start) + interval '25 hours'
from rollup_day d join installation i using (installation_id) join segment s using (segment_id)
where s.timezone in ('Australia/Lord_Howe', 'Australia/LHI')
group by i.sensor_id;
