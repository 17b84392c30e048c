-- What people bring along and work on together: measures, evaluations, events, workshops, whose a sensor is; how they sign in.

create table measure (
    measure_id    bigint generated always as identity primary key,
    account_id    integer references account on delete set null,
    revision      integer not null default 1,        -- one more with every change: nobody overwrites what they have not seen
    name          text not null,
    kind          text not null,
    description   text not null default '',
    first_day     date not null,                     -- first day of the time after, inclusive
    timezone      text not null,
    details       jsonb not null default '{}',       -- the rest of what telstraat_analytics calls a measure
    published     boolean not null default false,
    created_at    timestamptz not null default now(),
    changed_at    timestamptz not null default now()
);

create table measure_segment (
    measure_id  bigint not null references measure on delete cascade,
    segment_id  bigint not null references segment,
    role        text not null check (role in ('treated', 'control', 'boundary')),
    place       smallint not null,                   -- the order in which they were named
    primary key (measure_id, segment_id)
);
create index measure_of_segment on measure_segment (segment_id);

create table evaluation (
    evaluation_id  bigint generated always as identity primary key,
    measure_id     bigint not null references measure on delete cascade,
    account_id     integer references account on delete set null,
    revision       integer not null default 1,
    note           text not null default '',
    questions      jsonb not null,
    answered       boolean not null,                 -- at least one question has an answer
    result         json not null,                    -- as `telstraat evaluate --json` prints it; text, so that no number changes
    contents       json not null,                    -- the report in words, per language
    published      boolean not null default false,
    created_at     timestamptz not null default now()
);
create index evaluation_of_measure on evaluation (measure_id, evaluation_id);

-- Reports that have been set once.
create table evaluation_report (
    evaluation_id  bigint not null references evaluation on delete cascade,
    language       text not null,
    form           text not null check (form in ('html', 'pdf')),
    body           bytea not null,
    primary key (evaluation_id, language, form)
);

-- What happened in a street: said by people, never concluded from counts.
create table street_event (
    event_id    bigint generated always as identity primary key,
    account_id  integer not null references account on delete cascade,
    revision    integer not null default 1,
    segment_id  bigint not null references segment,
    kind        text not null,
    title       text not null,
    from_at     timestamptz not null,
    until_at    timestamptz not null,
    excludes    boolean not null default false,      -- its days must not be compared
    published   boolean not null default false,
    created_at  timestamptz not null default now(),
    changed_at  timestamptz not null default now(),
    check (until_at > from_at)
);
create index street_event_of_segment on street_event (segment_id, from_at);
create index street_event_of_account on street_event (account_id);

create table workshop (
    workshop_id  bigint generated always as identity primary key,
    account_id   integer references account on delete set null,
    revision     integer not null default 1,
    title        text not null,
    place        text not null default '',
    held_at      timestamptz,
    segments     bigint[] not null default '{}',
    first_day    date,
    last_day     date,                               -- inclusive
    measure_id   bigint references measure on delete set null,
    published    boolean not null default false,
    created_at   timestamptz not null default now(),
    changed_at   timestamptz not null default now()
);

create table workshop_note (
    note_id      bigint generated always as identity primary key,
    workshop_id  bigint not null references workshop on delete cascade,
    account_id   integer references account on delete set null,
    kind         text not null check (kind in ('note', 'question', 'answer', 'agreement')),
    body         text not null,
    created_at   timestamptz not null default now()
);
create index workshop_note_of_workshop on workshop_note (workshop_id, note_id);

-- Links for people without an account: read only, for one workshop, until they end.
create table workshop_link (
    link_id      integer generated always as identity primary key,
    workshop_id  bigint not null references workshop on delete cascade,
    hash         bytea not null unique,
    label        text not null default '',
    created_at   timestamptz not null default now(),
    expires_at   timestamptz not null,
    revoked_at   timestamptz
);
create index workshop_link_of_workshop on workshop_link (workshop_id);

-- With the code that came with a sensor, somebody becomes its owner: once.
create table sensor_claim (
    sensor_id   integer primary key references sensor on delete cascade,
    hash        bytea not null,
    created_at  timestamptz not null default now(),
    expires_at  timestamptz not null,
    claimed_at  timestamptz
);

-- On which side of the street (seen from A to B) a sensor stands: for its owner and for operators only.
alter table installation add column side text check (side in ('left', 'right'));

-- A piece of a way of OpenStreetMap, numbered along the way: importing an extract again finds it.
alter table segment add column osm_part smallint;
create unique index segment_of_osm on segment (osm_way_id, osm_part) where osm_part is not null;

-- Who somebody is at the operator's provider of identities.
create table account_identity (
    issuer      text not null,
    subject     text not null,
    account_id  integer not null references account on delete cascade,
    created_at  timestamptz not null default now(),
    primary key (issuer, subject)
);

-- A browser that is on its way to the provider and back.
create table sign_in_attempt (
    hash        bytea primary key,                   -- of the state that the browser carries
    nonce       text not null,
    verifier    text not null,
    expires_at  timestamptz not null
);
create index sign_in_link_of_account on sign_in_link (account_id, created_at);
create index browser_session_of_account on browser_session (account_id);
