-- Two sessions that miss the same partition: the second waits for the first, and then looked with what it had seen before it
-- waited (a lock that is not of a table brings no news of tables), and failed with "already exists".
create or replace function make_report_partition(at timestamptz) returns void language plpgsql as $$
declare
    month timestamp := date_trunc('month', at at time zone 'UTC');
    part text := 'report_' || to_char(month, 'YYYY_MM');
    low timestamptz := month at time zone 'UTC';
    high timestamptz := (month + interval '1 month') at time zone 'UTC';
begin
    if to_regclass(part) is not null
            or not exists (select from pg_partitioned_table where partrelid = 'report'::regclass) then
        return;
    end if;
    perform pg_advisory_xact_lock(hashtext('telstraat report partition'));
    begin
        execute format('create table %I (like report including defaults including constraints)', part);
        -- Attaching locks the parent less than creating the partition in place would: readers and writers go on.
        execute format('alter table report attach partition %I for values from (%L) to (%L)', part, low, high);
    exception when duplicate_table then
        null;  -- whoever held the lock has made and committed it
    end;
end $$;
