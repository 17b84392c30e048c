-- For many sensors and many years. What asks for all streets at a time finds them by time: a BRIN index costs nothing a row,
-- and the same hour of many streets is one entry of a B-tree with many places.
create index report_by_time on report using brin (period_start) with (pages_per_range = 16, autosummarize = on);
create index rollup_hour_by_time on rollup_hour (hour_start);
create index rollup_day_by_start on rollup_day (day_start);

-- The box around a street's line, in degrees: streets in an area are found without reading all.
create function line_box(geometry jsonb) returns box language sql immutable strict parallel safe
    as $$
        select box(point(min((p->>0)::double precision), min((p->>1)::double precision)),
            point(max((p->>0)::double precision), max((p->>1)::double precision)))
        from jsonb_array_elements(geometry->'coordinates') as p where geometry->>'type' = 'LineString'
    $$;
create index segment_by_place on segment using gist (line_box(geometry));

-- One epoch of one sensor is one segment of a compressed chunk: its quarters follow each other, late ones are compressed
-- without touching the others, and no filter is kept for what the order tells already.
do $compression$
begin
    if exists (select from pg_extension where extname = 'timescaledb')
            and current_setting('timescaledb.license', true) = 'timescale' then
        alter table report set (
            timescaledb.compress,
            timescaledb.compress_segmentby = 'sensor_id, epoch_no',
            timescaledb.compress_orderby = 'period_start'
        );
    end if;
exception when feature_not_supported then null;      -- older versions keep how they began once something is compressed
end $compression$;
