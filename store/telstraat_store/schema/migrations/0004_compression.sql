-- With TimescaleDB under its own licence, old chunks of `report` can be compressed; upkeep does so after the lateness window.
do $compression$
begin
    if exists (select from pg_extension where extname = 'timescaledb')
            and current_setting('timescaledb.license', true) = 'timescale' then
        alter table report set (
            timescaledb.compress,
            timescaledb.compress_segmentby = 'sensor_id',
            timescaledb.compress_orderby = 'epoch_no, period_start'
        );
    end if;
end $compression$;
