-- What a citizen's own page needs: since when a sensor is theirs and how it has been, letters when it is silent, new accounts by code.

-- In which language somebody is written to.
alter table account add column language text check (language ~ '^[a-z]{2,3}$');

alter table sensor
    add column owned_since  timestamptz,             -- what it counted from then on its owner may read by the quarter
    add column muted_until  timestamptz;             -- no letters about its silence before
update sensor v set owned_since = coalesce((select c.claimed_at from sensor_claim c where c.sensor_id = v.sensor_id), v.created_at)
where account_id is not null;

create function note_owner() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' then
        if new.account_id is not distinct from old.account_id then
            return new;
        end if;
        new.muted_until = null;
        if new.owned_since is distinct from old.owned_since and new.account_id is not null then
            return new;
        end if;
    elsif new.owned_since is not null then
        return new;
    end if;
    new.owned_since = case when new.account_id is not null then now() end;
    return new;
end $$;
create trigger sensor_has_another_owner before insert or update of account_id on sensor
    for each row execute function note_owner();

-- What the owner calls the two directions: for them and for operators, as the side is.
alter table installation
    add column to_b  text not null default '',
    add column to_a  text not null default '';

-- Since when each of a sensor's lights shows what it shows.
alter table sensor_health
    add column health_at     timestamptz,            -- when the last word about itself came; a connection alone says nothing
    add column online_since  timestamptz,
    add column clock_since   timestamptz,
    add column camera_since  timestamptz;
update sensor_health set health_at = case when online then received_at else (health ->> 'at')::timestamptz end where health is not null;

create function camera_gives_pictures(health jsonb) returns boolean language sql immutable
    as $$ select coalesce((health ->> 'fps')::double precision, 0) > 0 $$;

create function note_health() returns trigger language plpgsql as $$
declare
    is_new constant boolean := tg_op = 'INSERT';
    is_word boolean := new.health is not null;
begin
    if is_new or old.online is distinct from new.online then
        new.online_since = new.received_at;
    end if;
    if not is_new then
        is_word = new.health is not null and (new.health -> 'at') is distinct from (old.health -> 'at');
    end if;
    if is_word then
        new.health_at = new.received_at;
        if is_new or (old.health -> 'clock_trusted') is distinct from (new.health -> 'clock_trusted') then
            new.clock_since = new.received_at;
        end if;
        if is_new or old.health is null or camera_gives_pictures(old.health) <> camera_gives_pictures(new.health) then
            new.camera_since = new.received_at;
        end if;
    end if;
    return new;
end $$;
create trigger sensor_health_is_heard before insert or update on sensor_health
    for each row execute function note_health();

-- The server's own silence is no sensor's: until when somebody listened to the broker, and when nobody did.
create table server_presence (
    only_row  boolean primary key default true check (only_row),
    since_at  timestamptz not null,
    last_at   timestamptz not null
);
create table server_absence (
    from_at   timestamptz primary key,
    until_at  timestamptz not null,
    check (until_at > from_at)
);
create function note_presence(at timestamptz) returns void language plpgsql as $$
declare
    last timestamptz;
begin
    insert into server_presence (since_at, last_at) values (at, at) on conflict do nothing;
    select last_at into last from server_presence for update;
    if at > last + interval '10 minutes' then
        insert into server_absence (from_at, until_at) values (last, at) on conflict do nothing;
    end if;
    update server_presence set last_at = at where last_at < at;
end $$;

-- Letters about a silent sensor, to its owner alone: one for a step of a silence, whoever writes and however often.
-- `handed_at` is committed before the mail server is spoken to: a letter of which nobody knows whether it went is not sent again.
create table sensor_letter (
    letter_id    bigint generated always as identity primary key,
    sensor_id    integer not null references sensor on delete cascade,
    account_id   integer not null references account on delete cascade,
    silent_from  timestamptz not null,
    step         smallint not null check (step in (0, 1, 7, 14, 28)),   -- days; 0: it is back
    made_at      timestamptz not null,
    tries        smallint not null default 0,
    next_try_at  timestamptz not null,
    handed_at    timestamptz,
    sent_at      timestamptz,
    refused      text,
    stop_hash    bytea unique,                       -- of the secret in its link, made when it is handed over
    unique (sensor_id, account_id, silent_from, step)
);
create index sensor_letter_waiting on sensor_letter (next_try_at) where handed_at is null and refused is null;

-- A link may make an account for whoever holds the code of a sensor that nobody has claimed.
alter table sign_in_link
    alter column account_id drop not null,
    add column email      text check (email = lower(email)),
    add column sensor_id  integer references sensor on delete cascade,
    add constraint sign_in_link_is_of_somebody check (account_id is not null or (email is not null and sensor_id is not null));

-- What was marked in a street stays when whoever marked it has gone: evaluations rest on it.
alter table street_event alter column account_id drop not null;
alter table street_event drop constraint street_event_account_id_fkey;
alter table street_event add constraint street_event_account_id_fkey
    foreign key (account_id) references account on delete set null;
