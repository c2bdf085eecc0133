-- The log: what happened, in order, for ever.
--
-- Everything else in this database can be thrown away and made again from these three tables.
-- Who may do what stands at the end; that nobody may change a row stands in the triggers.

-- The application's role. It owns nothing here. Roles belong to the whole server, so another
-- database of the same server may have made it already, perhaps at this very moment.
do $$
begin
    if not exists (select from pg_roles where rolname = 'bahi_app') then
        create role bahi_app nologin;
    end if;
exception when duplicate_object or unique_violation then
    null;
end
$$;

-- Keys compare as bytes (collation "C") whatever the database's own collation is: faster, and the
-- same everywhere.
create table events (
    -- Columns of one width come first: nothing is lost between them.
    position       bigint      not null,
    sequence       bigint      not null,
    recorded_at    timestamptz not null,
    aggregate_type text        collate "C" not null,
    aggregate_id   text        collate "C" not null,
    event_type     text        not null,
    event_version  text        not null,
    hash           bytea       not null,
    -- Exact bytes: they are what is hashed, and the server need not parse them.
    payload        bytea       not null,
    metadata       bytea       not null,

    -- The second guard behind compare-and-append: a stream has one event per sequence. It also
    -- serves every read of a stream, as one range of one index. The id comes first because most
    -- comparisons end there; the type, which hardly tells anything apart, comes last.
    constraint events_pkey primary key (aggregate_id, sequence, aggregate_type),
    -- Readers take ranges of positions. A btree that grows at its right edge costs about a
    -- microsecond an event; a BRIN index costs nothing, but makes a page from the middle of the
    -- log a sequential scan.
    constraint events_position_key unique (position),
    constraint events_well_formed check (position > 0 and sequence > 0 and length(hash) = 32)
);

-- One row per append. Insert-only: an updated head row loses four fifths of its speed within a
-- minute of somebody's long snapshot.
create table batches (
    number        bigint      not null,
    last_position bigint      not null,
    head_hash     bytea       not null,
    recorded_at   timestamptz not null,

    -- Two processes that append after the same batch want the same number: one of them gets it.
    constraint batches_pkey primary key (number),
    constraint batches_hash_length check (length(head_hash) = 32)
);
-- From a moment to a position: the last batch that was recorded by then. Right edge, per batch.
create index batches_recorded_at on batches (recorded_at);
-- From a position to the batch that brought it (exports, checks). Right edge, per batch.
create index batches_last_position on batches (last_position);

-- What the chain starts from, so that the first append has a batch to follow.
insert into batches (number, last_position, head_hash, recorded_at)
values (0, 0, decode(repeat('00', 32), 'hex'), '1970-01-01T00:00:00Z');

-- What every command with a key came to, stored in the append that decided it. Never pruned: a key
-- protects its money for ever.
create table idempotency (
    principal   text  collate "C" not null,
    key         text  collate "C" not null,
    -- Keyed hash of the request, its operation included; the key of the hash is not in here.
    fingerprint bytea not null,
    outcome     bytea not null,

    constraint idempotency_pkey primary key (principal, key)
);

-- Nobody rewrites the past: not the application (it lacks the privilege), not the owner (this
-- trigger), not a session that calls itself a replica (`enable always`). Nothing fires on insert.
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% on % is refused: the log is append-only', tg_op, tg_table_name
        using errcode = 'integrity_constraint_violation';
end
$$;

create trigger events_append_only before update or delete on events
    for each row execute function refuse_change();
create trigger events_no_truncate before truncate on events
    for each statement execute function refuse_change();
create trigger batches_append_only before update or delete on batches
    for each row execute function refuse_change();
create trigger batches_no_truncate before truncate on batches
    for each statement execute function refuse_change();
create trigger idempotency_append_only before update or delete on idempotency
    for each row execute function refuse_change();
create trigger idempotency_no_truncate before truncate on idempotency
    for each statement execute function refuse_change();

alter table events enable always trigger events_append_only;
alter table events enable always trigger events_no_truncate;
alter table batches enable always trigger batches_append_only;
alter table batches enable always trigger batches_no_truncate;
alter table idempotency enable always trigger idempotency_append_only;
alter table idempotency enable always trigger idempotency_no_truncate;

-- The shape that postgres-es reads: externally tagged JSON. The engine never reads this view.
create view events_json as
select aggregate_type, aggregate_id, sequence, event_type, event_version,
       json_build_object(event_type, convert_from(payload, 'UTF8')::json) as payload,
       convert_from(metadata, 'UTF8')::json as metadata
from events;

-- Snapshots of aggregates: a cache that saves reading long streams from their start. Written off
-- the commit path, checked by `bahi audit verify`, disposable at any time.
create table snapshots (
    aggregate_type text   collate "C" not null,
    aggregate_id   text   collate "C" not null,
    -- The fold that made it. Another version of the fold does not read it.
    fold_version   int    not null,
    sequence       bigint not null,
    payload        bytea  not null,
    constraint snapshots_pkey primary key (aggregate_type, aggregate_id)
);

-- Words that people put on a transaction. Kept apart from the events so that they can be erased.
create table transaction_notes (
    transaction_id text collate "C" not null,
    note           text not null,
    constraint transaction_notes_pkey primary key (transaction_id)
);

grant select, insert on events, batches, idempotency to bahi_app;
grant select on events_json to bahi_app;
grant select, insert, update, delete on snapshots, transaction_notes to bahi_app;
