-- Files that operators bring: looked at by a job before anything of them is written, then imported or thrown away.

create table upload (
    upload_id    bigint generated always as identity primary key,
    account_id   integer references account on delete set null,
    kind         text not null check (kind in ('streets', 'counts')),
    file_name    text not null,
    content      bytea,                              -- until it is imported
    bytes        integer not null,
    sha256       bytea not null,
    options      jsonb not null,                     -- how it is to be read
    preview      jsonb,                              -- what would become of it, read so
    outcome      jsonb,                              -- what became of it
    job_id       bigint references job on delete set null,   -- the last that was about it
    created_at   timestamptz not null default now(),
    imported_at  timestamptz
);
alter table upload alter column content set storage external;   -- such files are compressed already
