-- What the public may read: hours that one stream has watched whole (decision 072).
--
-- An hour of which one quarter was watched tells that quarter, and an hour to which a quarter is added later tells it by the
-- difference. A quarter of a stream never changes, so an hour in which one stream has all four cannot change either; when
-- another stream adds to it after all, it is withdrawn. So every public number is a sum of whole hours, at every time.
drop schema settled cascade;
drop view sensor_settled;

alter table rollup_hour add column one_stream boolean not null default true;
-- Streams before this are told apart when their sensors' hours are added up again.
insert into rollup_dirty (sensor_id, from_at, until_at)
select sensor_id, '-infinity', 'infinity' from stream group by sensor_id having count(*) > 1;

-- 2880 of 3600 seconds: with less, whole quarters could go unseen behind a second each.
create function is_whole_hour(quarters integer, observed_s integer, one_stream boolean) returns boolean
language sql immutable parallel safe as $$ select quarters = 4 and observed_s >= 2880 and one_stream $$;

-- The API reads public counts with the search path `settled, public`: what follows is found first.
create schema settled;

-- Corrected by the hour's own seconds: corrected by each quarter's, it would tell which quarter the count was in.
create view settled.rollup_hour as
select u.installation_id, u.hour_start, u.quarters, u.observed_s, u.dark_s, u.flags,
    u.pedestrian_lft_seen, u.pedestrian_rgt_seen, u.bike_lft_seen, u.bike_rgt_seen, u.motorcycle_lft_seen, u.motorcycle_rgt_seen,
    u.car_lft_seen, u.car_rgt_seen, u.heavy_lft_seen, u.heavy_rgt_seen, u.night_lft_seen, u.night_rgt_seen,
    u.pedestrian_lft_seen * 3600::double precision / u.observed_s as pedestrian_lft,
    u.pedestrian_rgt_seen * 3600::double precision / u.observed_s as pedestrian_rgt,
    u.bike_lft_seen * 3600::double precision / u.observed_s as bike_lft,
    u.bike_rgt_seen * 3600::double precision / u.observed_s as bike_rgt,
    u.motorcycle_lft_seen * 3600::double precision / u.observed_s as motorcycle_lft,
    u.motorcycle_rgt_seen * 3600::double precision / u.observed_s as motorcycle_rgt,
    u.car_lft_seen * 3600::double precision / u.observed_s as car_lft,
    u.car_rgt_seen * 3600::double precision / u.observed_s as car_rgt,
    u.heavy_lft_seen * 3600::double precision / u.observed_s as heavy_lft,
    u.heavy_rgt_seen * 3600::double precision / u.observed_s as heavy_rgt,
    u.night_lft_seen * 3600::double precision / u.observed_s as night_lft,
    u.night_rgt_seen * 3600::double precision / u.observed_s as night_rgt,
    u.car_speed, u.one_stream
from public.rollup_hour u where is_whole_hour(u.quarters, u.observed_s, u.one_stream);

-- A query for the public that forgets the rule finds no columns here, and fails.
create view settled.report as select 'read whole hours of public.report' as hint where false;
create view settled.rollup_day as select 'add up settled.rollup_hour' as hint where false;
