-- Letters with a street's month, for whoever has asked for them by mail and said so once more; no account is needed.

create table month_reader (
    reader_id     bigint generated always as identity primary key,
    segment_id    bigint not null references segment on delete cascade,
    email         text not null check (email = lower(email)),
    language      text not null,
    confirm_hash  bytea unique,                      -- of the secret in the letter that asks; spent when it is confirmed
    asked_at      timestamptz not null,
    confirmed_at  timestamptz,
    unique (segment_id, email)
);

create table month_letter (
    reader_id    bigint not null references month_reader on delete cascade,
    month        date not null check (month = date_trunc('month', month)::date),
    made_at      timestamptz not null,
    tries        smallint not null default 0,
    next_try_at  timestamptz not null,
    handed_at    timestamptz,                        -- before the mail server is spoken to: nothing is sent twice
    sent_at      timestamptz,
    refused      text,
    stop_hash    bytea unique,                       -- of the secret in its link, made when it is handed over
    primary key (reader_id, month)
);
create index month_letter_waiting on month_letter (next_try_at) where handed_at is null and refused is null;
