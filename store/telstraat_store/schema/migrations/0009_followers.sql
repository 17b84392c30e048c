-- Measures that are followed: by whom, what each week showed, and the letters about it until they have gone.

create table measure_follower (
    measure_id  bigint not null references measure on delete cascade,
    account_id  integer not null references account on delete cascade,
    what        text not null default 'car',         -- a count of telstraat_analytics: car, bike, motor, ...
    language    text not null check (language in ('en', 'nl', 'fr')),
    since_at    timestamptz not null default now(),
    primary key (measure_id, account_id)
);
create index measure_follower_of_account on measure_follower (account_id);

create table measure_look (
    measure_id  bigint not null references measure on delete cascade,
    what        text not null,
    weeks       smallint not null,                   -- after the date (and the transition) of the measure
    made_at     timestamptz not null default now(),
    state       jsonb not null,                      -- per street what is claimed: the next week's news is what differs
    result      json not null,                       -- per street the look, with sentences in three languages
    primary key (measure_id, what, weeks)
);

-- Written in the transaction of the look that is news, so that none is forgotten; one per follower and look, so that none is
-- written twice. Who stops following takes the letters along that have not gone.
create table measure_letter (
    letter_id    bigint generated always as identity primary key,
    measure_id   bigint not null,
    account_id   integer not null,
    what         text not null,
    weeks        smallint not null,
    subject      text not null,
    body         text not null,                      -- emptied when it has gone
    stop_hash    bytea not null unique,              -- of the secret in its link "no more letters"
    stop_link    text not null,                      -- emptied when it has gone
    made_at      timestamptz not null default now(),
    tries        smallint not null default 0,
    next_try_at  timestamptz not null default now(),
    sent_at      timestamptz,
    refused      text,                               -- the mail server's last word, when there is no point in trying again
    unique (measure_id, account_id, what, weeks),
    foreign key (measure_id, account_id) references measure_follower on delete cascade,
    foreign key (measure_id, what, weeks) references measure_look on delete cascade
);
create index measure_letter_waiting on measure_letter (next_try_at) where sent_at is null and refused is null;
