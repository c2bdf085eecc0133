-- Staff: who may audit and who may operate, until when; what they looked at and decided; and the
-- role by which auditors read.

-- A member of staff is a person like every other; what makes them one is a row here, for a time.
-- Looked at with every request: a role that ended is gone with the next one. Nothing is deleted:
-- who could do what, and when, is asked for years later.
create table staff (
    id           uuid        not null,
    person_id    uuid        not null,
    role         text        collate "C" not null,
    appointed_by text        collate "C" not null,
    appointed_at timestamptz not null,
    -- When it ends by itself. Nobody is appointed for ever.
    until        timestamptz not null,
    ended_by     text        collate "C",
    ended_at     timestamptz,

    constraint staff_pkey primary key (id),
    constraint staff_person_fkey foreign key (person_id) references people (id),
    constraint staff_role check (role in ('auditor', 'operator', 'approver')),
    constraint staff_time check (until > appointed_at),
    constraint staff_end check ((ended_by is null) = (ended_at is null))
);
-- One appointment to a role at a time; also what each request of theirs asks for.
create unique index staff_in_force on staff (person_id, role) where ended_at is null;

-- A session of staff is for one desk, as one of a shop is for shops.
alter table sessions drop constraint sessions_audience;
alter table sessions add constraint sessions_audience check (
    audience in ('wallet', 'shop', 'audit', 'ops') and (audience = 'shop' or merchant_id is null)
);

-- Who looked at personal data, who was made staff or unmade, who was turned away, and what was
-- decided by hand: with whom it was about, why, and when. Subjects are opaque ids, so nothing of
-- this is erased with a person.
create table access_log (
    number  bigint      generated always as identity,
    at      timestamptz not null,
    who     text        collate "C" not null,
    what    text        collate "C" not null,
    subject text        collate "C" not null,
    reason  text        not null,

    constraint access_log_pkey primary key (number),
    constraint access_log_who check (length(who) between 1 and 200),
    constraint access_log_what check (what ~ '^[a-z]+(_[a-z]+)*$' and length(what) <= 60),
    constraint access_log_subject check (length(subject) between 1 and 200),
    -- One line: what is written here is read in terminals, files and pages.
    constraint access_log_reason check (
        length(reason) between 1 and 500 and reason !~ '[[:cntrl:]]'
    )
);
create index access_log_who on access_log (who, number);
create index access_log_subject on access_log (subject, number);

create trigger access_log_append_only before update or delete on access_log
    for each row execute function refuse_change();
create trigger access_log_no_truncate before truncate on access_log
    for each statement execute function refuse_change();
alter table access_log enable always trigger access_log_append_only;
alter table access_log enable always trigger access_log_no_truncate;

-- Checks of the whole log: asked for on a page and run by a worker, or run by a command and noted.
create table audit_runs (
    id          uuid        not null,
    -- What is done: `verify` the chain and the books, `replay` the log and compare it with the read
    -- models.
    kind        text        collate "C" not null,
    asked_by    text        collate "C" not null,
    asked_at    timestamptz not null,
    state       text        collate "C" not null default 'asked',
    began_at    timestamptz,
    -- Until when the worker that took it is believed to be alive.
    leased_until timestamptz,
    events_done bigint      not null default 0,
    events_of   bigint,
    ended_at    timestamptz,
    -- What came of it: up to which event, with which head, and whether all was well.
    position    bigint,
    head_hash   bytea,
    verified    boolean,
    -- Of a replay: how many balances were compared, and how many differ.
    compared    bigint,
    differ      bigint,
    -- The report, or why it failed.
    said        text,

    constraint audit_runs_pkey primary key (id),
    constraint audit_runs_kind check (kind in ('verify', 'replay')),
    constraint audit_runs_state check (state in ('asked', 'running', 'done', 'failed')),
    constraint audit_runs_end check (
        (state in ('done', 'failed')) = (ended_at is not null)
        and (state = 'done') = (verified is not null)
    )
);
-- One of a kind at a time: pressed twice it is one.
create unique index audit_runs_open on audit_runs (kind) where state in ('asked', 'running');
-- The last ones.
create index audit_runs_asked on audit_runs (asked_at);

-- What a delivery was about stands at the beginning of what it came to: "wd_…, by webhook".
create index inbox_applied_detail on inbox_applied (detail collate "C");

grant select, insert on staff to bahi_app;
-- Ended or made longer by another row, never rewritten.
grant update (ended_by, ended_at) on staff to bahi_app;
grant select, insert on access_log to bahi_app;
grant select, insert on audit_runs to bahi_app;
grant update (state, began_at, leased_until, events_done, events_of, ended_at, position, head_hash,
    verified, compared, differ, said) on audit_runs to bahi_app;

-- The role by which everything under /audit reads. It can write nothing but what it looked at, and
-- the wish that the log be checked: no mistake in a handler can change more.
do $$
begin
    if not exists (select from pg_roles where rolname = 'bahi_auditor') then
        create role bahi_auditor nologin;
    end if;
exception when duplicate_object or unique_violation then
    null;
end
$$;
-- A session of the service takes it on, as it takes on the application's.
do $$
begin
    if not pg_has_role('bahi_app', 'bahi_auditor', 'member') then
        grant bahi_auditor to bahi_app;
    end if;
exception when unique_violation then
    null;
end
$$;

grant usage on schema public, read, read_next to bahi_auditor;
grant select on all tables in schema public to bahi_auditor;
-- What opens doors is not read, not even hashed.
revoke select on credentials, sessions, person_codes, api_keys, login_attempts, login_proofs,
    oauth_grants, oauth_secrets, webhook_secrets, throttles from bahi_auditor;
grant insert on access_log to bahi_auditor;
grant insert (id, kind, asked_by, asked_at) on audit_runs to bahi_auditor;

-- The application's role owns the read models and makes them anew with each rebuild.
set local role bahi_app;
grant select on all tables in schema read, read_next to bahi_auditor;
alter default privileges for role bahi_app grant select on tables to bahi_auditor;
alter default privileges for role bahi_app grant usage on schemas to bahi_auditor;
reset role;
