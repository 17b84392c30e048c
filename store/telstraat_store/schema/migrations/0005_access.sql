-- Who may do what: people, their keys, their browser sessions. Secrets are random and stored as hashes only.

create table account (
    account_id   integer generated always as identity primary key,
    email        text not null unique check (email = lower(email)),
    name         text not null default '',
    role         text not null check (role in ('citizen', 'professional', 'operator')),
    created_at   timestamptz not null default now(),
    disabled_at  timestamptz
);

create table access_key (
    key_id       integer generated always as identity primary key,
    account_id   integer not null references account on delete cascade,
    label        text not null default '',
    hint         text not null,                      -- its first characters, to tell keys apart
    hash         bytea not null unique,              -- SHA-256 of 256 random bits
    scopes       text[] not null default '{read}',   -- read, write, accounts
    created_at   timestamptz not null default now(),
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used    date
);
create index access_key_of_account on access_key (account_id);

create table browser_session (
    hash         bytea primary key,
    account_id   integer not null references account on delete cascade,
    created_at   timestamptz not null default now(),
    expires_at   timestamptz not null
);

create table sign_in_link (
    hash         bytea primary key,
    account_id   integer not null references account on delete cascade,
    created_at   timestamptz not null default now(),
    expires_at   timestamptz not null,
    used_at      timestamptz
);

-- Whose sensor it is: shown to them and to operators, never to others.
alter table sensor add column account_id integer references account on delete set null;
create index sensor_of_account on sensor (account_id) where account_id is not null;
