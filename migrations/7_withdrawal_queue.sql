-- What sends withdrawals works with: a read model of them, and its own notes.

-- The read models of before, and more: `make_read_models` stays the one text that the migration
-- and a rebuild share.
alter function make_read_models(text) rename to make_first_read_models;

create function make_read_models(schema_name text) returns void language plpgsql
    set search_path = pg_catalog, public
as $make$
begin
    perform make_first_read_models(schema_name);
    perform set_config('search_path', quote_ident(schema_name), true);

    -- One row per withdrawal, as its last event left it.
    create table if not exists withdrawals (
        id                 uuid             not null,
        account_id         text collate "C" not null,
        bank               text collate "C" not null,
        rail               text collate "C" not null,
        bank_account       uuid             not null,
        amount             numeric          not null,
        fee                numeric          not null,
        status             text collate "C" not null,
        attempts           int              not null,
        -- When its last attempt was begun.
        begun_at           timestamptz,
        requested_at       timestamptz      not null,
        requested_position bigint           not null,
        -- Its place in the queue: where it was queued first, so that a refused attempt does not
        -- send it to the end.
        queued_position    bigint,
        changed_at         timestamptz      not null,
        -- What waits for its wallet.
        unapplied          numeric          not null,
        late               boolean          not null,
        sequence           bigint           not null,
        last_position      bigint           not null,

        constraint withdrawals_pkey primary key (id)
    ) with (fillfactor = 70);
    -- What a bank still has to do, in order. All others, nearly all in the end, are not in it.
    create index if not exists withdrawals_queued on withdrawals (bank, queued_position)
        where status = 'queued';
    -- What a bank has been given and has not answered for good, the longest first.
    create index if not exists withdrawals_open on withdrawals (bank, begun_at)
        where status in ('processing', 'outcome_unknown', 'needs_attention');
    -- What came back and could not be put on its wallet.
    create index if not exists withdrawals_unapplied on withdrawals (changed_at)
        where unapplied > 0;
    -- An account's withdrawals, newest first; and all of a status.
    create index if not exists withdrawals_account on withdrawals (account_id, requested_position);
    create index if not exists withdrawals_status on withdrawals (status, requested_position);

    -- From what a bank calls an attempt to the attempt.
    create table if not exists withdrawal_attempts (
        bank          text collate "C" not null,
        reference     text collate "C" not null,
        withdrawal_id uuid             not null,
        attempt       int              not null,
        begun_at      timestamptz      not null,

        constraint withdrawal_attempts_pkey primary key (bank, reference)
    );
end
$make$;

set local role bahi_app;
select make_read_models('read');
reset role;

-- Who works for a bank, or reads the inbox: one process at a time for each lane, so that rate,
-- concurrency, order and the float of a bank are decided in one place. Whoever does not renew in
-- time has lost it. Nothing about money rests on it: that one attempt is sent once is decided by
-- the log.
create table worker_lanes (
    lane       text        collate "C" not null,
    holder     uuid        not null,
    expires_at timestamptz not null,
    -- Why its holder does nothing now, if that is so: `low_float`, `paused` and the like.
    note       text        collate "C",

    constraint worker_lanes_pkey primary key (lane)
) with (fillfactor = 50);

-- Every question to a bank about an attempt, noted before it is asked: banks allow few, and a
-- worker that dies while it asks has asked. Number 0 is the sending itself, noted when the bank
-- has answered: an attempt without it was lost on the way.
create table bank_questions (
    withdrawal_id uuid        not null,
    attempt       int         not null,
    number        int         not null,
    asked_at      timestamptz not null,
    answer        text        collate "C",

    constraint bank_questions_pkey primary key (withdrawal_id, attempt, number),
    constraint bank_questions_number check (attempt > 0 and number >= 0)
);

-- Withdrawals that the queue must pass over until somebody has looked.
create table withdrawal_blocks (
    withdrawal_id uuid        not null,
    code          text        collate "C" not null,
    blocked_at    timestamptz not null default now(),

    constraint withdrawal_blocks_pkey primary key (withdrawal_id)
);

-- Banks that people have paused.
create table bank_pauses (
    bank      text        collate "C" not null,
    reason    text        not null,
    paused_by text        not null,
    paused_at timestamptz not null default now(),

    constraint bank_pauses_pkey primary key (bank),
    constraint bank_pauses_reason check (length(reason) <= 200)
);

grant select, insert, update on worker_lanes, bank_questions to bahi_app;
grant select, insert, delete on withdrawal_blocks, bank_pauses to bahi_app;
