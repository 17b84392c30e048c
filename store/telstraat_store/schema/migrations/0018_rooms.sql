-- A workshop as a live room: who takes part by link, what is pinned to streets and charts, groups, votes, phases.

alter table workshop add column question text not null default '';

create table workshop_room (
    workshop_id     bigint primary key references workshop on delete cascade,
    revision        bigint not null default 0,       -- one more with every change that somebody sees
    state_revision  bigint not null default 0,       -- at the last change of this row's own
    join_code       text not null unique,            -- stands on the wall: it lets people take part, and nothing else
    phase           text not null default 'look' check (phase in ('look', 'collect', 'group', 'vote', 'agree')),
    is_collecting   boolean not null default true,   -- false: notes are not taken, whatever the phase
    votes_each      smallint not null default 3 check (votes_each between 1 and 20),
    looked_at       jsonb not null default '{}',     -- what everybody looks at
    timer_until     timestamptz,
    opened_at       timestamptz not null default now(),
    ends_at         timestamptz not null,
    closed_at       timestamptz,
    people          integer not null default 0,      -- who took part: numbers stay when the people are forgotten
    voters          integer not null default 0
);

create view live_room as
select *, closed_at is null and ends_at > now() as is_open from workshop_room;

-- Somebody with a phone: a random secret in a cookie and, if they like, a first name. Gone with the room.
create table workshop_participant (
    participant_id   bigint generated always as identity primary key,
    workshop_id      bigint not null references workshop_room on delete cascade,
    hash             bytea not null unique,
    first_name       text not null default '',
    blocked          boolean not null default false,
    ballot_sequence  bigint not null default 0,      -- of the newest ballot: an older one that comes late changes nothing
    joined_at        timestamptz not null default now()
);
create index workshop_participant_of_workshop on workshop_participant (workshop_id);

create table workshop_group (
    group_id       bigint generated always as identity primary key,
    workshop_id    bigint not null references workshop on delete cascade,
    client_id      uuid,                             -- sent twice, it is one group
    title          text not null,
    deleted_at     timestamptz,
    votes          integer not null default 0,
    revision       bigint not null default 0,
    vote_revision  bigint not null default 0,
    unique (workshop_id, client_id)
);

alter table workshop_note drop constraint workshop_note_kind_check;
alter table workshop_note add constraint workshop_note_kind_check
    check (kind in ('note', 'question', 'answer', 'agreement', 'observation', 'cause', 'proposal'));
alter table workshop_note
    add column participant_id  bigint references workshop_participant on delete set null,
    add column client_id       uuid,                             -- made by the phone: sent twice, it is one note
    add column pin             jsonb,                            -- a street, a time, a place on a chart or on the map
    add column expected        jsonb,                            -- what the writer expects a measure to change
    add column group_id        bigint references workshop_group on delete set null,
    add column hidden          boolean not null default false,
    add column deleted_at      timestamptz,                      -- its words are gone; that it was there is told to phones that were away
    add column votes           integer not null default 0,
    add column revision        bigint not null default 0,
    add column vote_revision   bigint not null default 0;
create unique index workshop_note_of_client on workshop_note (workshop_id, client_id) where client_id is not null;
create index workshop_note_of_participant on workshop_note (participant_id, created_at) where participant_id is not null;
create index workshop_note_of_group on workshop_note (group_id) where group_id is not null;
create index workshop_note_by_revision on workshop_note (workshop_id, revision);

create table workshop_vote (
    participant_id  bigint not null references workshop_participant on delete cascade,
    note_id         bigint references workshop_note on delete cascade,
    group_id        bigint references workshop_group on delete cascade,
    check ((note_id is null) <> (group_id is null))
);
create unique index workshop_vote_for_note on workshop_vote (participant_id, note_id) where note_id is not null;
create unique index workshop_vote_for_group on workshop_vote (participant_id, group_id) where group_id is not null;
create index workshop_vote_of_note on workshop_vote (note_id) where note_id is not null;
create index workshop_vote_of_group on workshop_vote (group_id) where group_id is not null;
