-- The inbox: what banks told us by webhook, each event once, for ever.
--
-- It stands by itself: no table in here refers to the ledger's, and whoever takes webhooks in needs
-- these four and nothing else. So they may also lie in a database of their own, migrated alike.
--
-- There are no foreign keys: each row but the first is written in the statement that has just read
-- or written the one it belongs to, and nothing that is referred to is ever removed. A key check
-- would lock a row for every delivery.

-- One row for every event of a bank: that it came, when, and what it was to the byte. Never
-- removed: banks send again for days and may reuse a connection's retries after a year, so "once"
-- means once for ever.
create table inbox_deliveries (
    id          bigint      generated always as identity,
    -- Our clock, the database's: several intakes have several clocks.
    received_at timestamptz not null default now(),
    -- The bank's clock when it sent this delivery (the header), and when the event happened (the
    -- body, if it could be read).
    sent_at     timestamptz not null,
    event_at    timestamptz,
    -- The number of the database transaction that wrote the row. Ids are given out before rows
    -- become visible and in another order, so a reader that remembers the highest id it saw skips
    -- rows for ever. Below the oldest transaction that is still under way, nothing can appear.
    written_in  bigint      not null default pg_current_xact_id()::text::bigint,
    bank        text        collate "C" not null,
    event_id    text        collate "C" not null,
    -- What the body calls itself; nothing if it could not be read.
    event_type  text        collate "C",
    body_sha256 bytea       not null,

    constraint inbox_deliveries_pkey primary key (id),
    -- What makes a second delivery a duplicate, whichever process takes it in. The bank comes
    -- first: its ids mostly grow, so that its part of the index grows at its own right edge.
    constraint inbox_deliveries_event_key unique (bank, event_id),
    constraint inbox_deliveries_well_formed check (
        length(body_sha256) = 32
        and length(bank) between 1 and 32 and length(event_id) between 1 and 256
    )
);
-- From a transaction on, in order: how whoever applies deliveries finds the new ones without
-- reading the old ones. Grows at its right edge.
create index inbox_deliveries_written_in on inbox_deliveries (written_in, id);

-- The bytes as they came. Apart from the row above, because they may name people: they can be
-- erased, and what is left still says that the event came and tells another body from this one.
create table inbox_bodies (
    delivery_id bigint not null,
    body_sha256 bytea  not null,
    body        bytea  not null,

    -- The hash belongs to it because conflicting bodies of one event are kept as well.
    constraint inbox_bodies_pkey primary key (delivery_id, body_sha256)
);
-- Small JSON is not worth compressing on the way in, and large bodies are rare.
alter table inbox_bodies alter column body set storage external;

-- The exceptions list: an event that came again with another body. The first body stands; which of
-- them is true is a question to the bank.
create table inbox_conflicts (
    delivery_id bigint      not null,
    received_at timestamptz not null default now(),
    sent_at     timestamptz not null,
    body_sha256 bytea       not null,

    -- The same other body once, however often it is sent.
    constraint inbox_conflicts_pkey primary key (delivery_id, body_sha256),
    constraint inbox_conflicts_well_formed check (length(body_sha256) = 32)
);
-- The list is read from its end.
create index inbox_conflicts_received_at on inbox_conflicts (received_at);

-- What became of deliveries: a row for each time that somebody came to a conclusion. A delivery
-- without a row was not looked at yet; one whose last row is `parked` waits for its reference to
-- appear, or for people.
create table inbox_applied (
    delivery_id bigint      not null,
    attempt     int         not null,
    at          timestamptz not null default now(),
    -- applied: it had its effect. ignored: it told us nothing new. Both are final.
    -- parked: it waits.
    outcome     text        collate "C" not null,
    -- What it waits for, as the bank names it.
    reference   text        collate "C",
    -- Why, or which object it belongs to, in a few words and without names of people.
    detail      text        not null,

    constraint inbox_applied_pkey primary key (delivery_id, attempt),
    constraint inbox_applied_well_formed check (
        attempt > 0 and outcome in ('applied', 'ignored', 'parked')
        and (reference is null or outcome = 'parked') and length(detail) <= 500
    )
);
-- A delivery is settled once, whatever number of workers come to it at once.
create unique index inbox_applied_once on inbox_applied (delivery_id) where outcome <> 'parked';
-- From a reference that has just appeared to what waits for it.
create index inbox_applied_reference on inbox_applied (reference) where reference is not null;

-- As with the log: rows are added and stay. Only bodies can be removed.
create trigger inbox_deliveries_append_only before update or delete on inbox_deliveries
    for each row execute function refuse_change();
create trigger inbox_deliveries_no_truncate before truncate on inbox_deliveries
    for each statement execute function refuse_change();
create trigger inbox_conflicts_append_only before update or delete on inbox_conflicts
    for each row execute function refuse_change();
create trigger inbox_conflicts_no_truncate before truncate on inbox_conflicts
    for each statement execute function refuse_change();
create trigger inbox_applied_append_only before update or delete on inbox_applied
    for each row execute function refuse_change();
create trigger inbox_applied_no_truncate before truncate on inbox_applied
    for each statement execute function refuse_change();
-- A body is erased or it is what came: nobody edits one.
create trigger inbox_bodies_never_edited before update on inbox_bodies
    for each row execute function refuse_change();

alter table inbox_deliveries enable always trigger inbox_deliveries_append_only;
alter table inbox_deliveries enable always trigger inbox_deliveries_no_truncate;
alter table inbox_conflicts enable always trigger inbox_conflicts_append_only;
alter table inbox_conflicts enable always trigger inbox_conflicts_no_truncate;
alter table inbox_applied enable always trigger inbox_applied_append_only;
alter table inbox_applied enable always trigger inbox_applied_no_truncate;
alter table inbox_bodies enable always trigger inbox_bodies_never_edited;

grant select, insert on inbox_deliveries, inbox_conflicts, inbox_applied to bahi_app;
grant select, insert, delete on inbox_bodies to bahi_app;
