-- What people have counted by hand in a street, to see how well its sensor counts. It never becomes part of the counts.

create table hand_count (
    hand_count_id  uuid primary key,                 -- made on the phone: sent again, it is the same count
    account_id     integer references account on delete cascade,
    segment_id     bigint not null references segment,
    from_at        timestamptz not null,
    until_at       timestamptz not null,
    quarters       jsonb not null,                   -- per quarter of an hour: from, until, and passages per class and direction
    created_at     timestamptz not null default now(),
    check (until_at > from_at)
);
create index hand_count_of_segment on hand_count (segment_id, from_at);
create index hand_count_of_account on hand_count (account_id, created_at);
