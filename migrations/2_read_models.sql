-- Read models: what the log says, folded into tables that a page can ask.
--
-- Nothing here is a source of anything. Every row is made by the projector from the events up to
-- the position in `checkpoint`, and moves in one transaction with it; all of it can be dropped and
-- made again. So the application's role owns these tables: it rebuilds them beside live traffic in
-- the schema `read_next` and swaps them in, without the owner of the log.

-- Whoever migrates must be able to act as that role. A superuser is; on some servers the one who
-- made the role must first be granted it.
do $$
begin
    set local role bahi_app;
    reset role;
exception when insufficient_privilege then
    execute format('grant bahi_app to %I', current_user);
end
$$;

create schema read authorization bahi_app;
create schema read_next authorization bahi_app;

-- The tables, in whichever of the two schemas: one text for the migration and for the rebuild, so
-- that a rebuilt table cannot differ from the one that it replaces. Makes only what is missing.
--
-- Ids compare by bytes (`collate "C"`): that is the order of the cursors, it lets the index serve
-- searches by prefix, and it does not change with the operating system's locale.
create function make_read_models(schema_name text) returns void language plpgsql
    -- Also confines the change of search_path below to this function.
    set search_path = pg_catalog
as $make$
begin
    perform set_config('search_path', quote_ident(schema_name), true);

    -- How far the tables are folded. One row; whoever moves it holds its lock, so of several
    -- projectors one works and the others wait.
    create table if not exists checkpoint (
        only_row boolean not null default true,
        position bigint  not null,
        constraint checkpoint_pkey primary key (only_row),
        constraint checkpoint_only_row check (only_row),
        constraint checkpoint_position check (position >= 0)
    );
    insert into checkpoint (position) values (0) on conflict do nothing;

    -- One row per account, its state after the last event. No index holds a column that moves with
    -- a leg, and pages keep room, so that an update touches no index (a heap-only tuple).
    create table if not exists accounts (
        id              text collate "C" not null,
        code            text collate "C" not null,
        currency        text collate "C" not null,
        scale           int              not null,
        owner           text collate "C" not null,
        account_type    text collate "C" not null,
        class           text collate "C" not null,
        itemised        boolean          not null,
        floor           numeric,
        ceiling         numeric,
        -- From reference to {mode, amount}.
        freezes         jsonb            not null default '{}',
        closed_at       timestamptz,
        opened_at       timestamptz      not null,
        opened_position bigint           not null,
        debits_posted   numeric          not null default 0,
        credits_posted  numeric          not null default 0,
        -- As the events state it, on the normal side.
        balance         numeric          not null default 0,
        held            numeric          not null default 0,
        open_holds      bigint           not null default 0,
        sequence        bigint           not null default 0,
        last_position   bigint           not null,
        -- `json`, not `jsonb`: it keeps any text that JSON can say, \u0000 included.
        metadata        json             not null,

        constraint accounts_pkey primary key (id),
        -- What the engine said after each leg is what the legs sum to.
        constraint accounts_balance_is_the_sum check (balance =
            case when account_type in ('asset', 'expense') then debits_posted - credits_posted
                 else credits_posted - debits_posted end),
        constraint accounts_open_holds check (open_holds >= 0),
        constraint accounts_held check (held >= 0)
    ) with (fillfactor = 70);
    -- Found by owner, by exact code (in all its currencies), by type; by prefix of the code through
    -- the primary key. Each in the order of the id, which is the cursor.
    create index if not exists accounts_owner on accounts (owner, id);
    create index if not exists accounts_code on accounts (code, id);
    create index if not exists accounts_type on accounts (account_type, id);

    -- One row per transaction. Its legs are not copied: they lie side by side in the log, from
    -- first_position to last_position; and an account's transactions are the legs of its stream.
    create table if not exists transactions (
        id             uuid             not null,
        kind           text collate "C" not null,
        first_position bigint           not null,
        last_position  bigint           not null,
        legs           int              not null,
        effective_on   date             not null,
        recorded_at    timestamptz      not null,
        -- The sum of the debits, which is the sum of the credits; of its first currency by code.
        currency       text collate "C" not null,
        amount         numeric          not null,
        -- Of its further currencies, as a list of {currency, amount}; nearly never any.
        further_totals json,
        cause          text collate "C",
        reverses       uuid,
        reversed_by    uuid,

        constraint transactions_pkey primary key (id)
    );
    -- The order of every list, newest first. Right edge.
    create unique index if not exists transactions_position on transactions (first_position);
    -- Lists of one kind; a rare kind would otherwise mean walking the whole table.
    create index if not exists transactions_kind on transactions (kind, first_position);

    -- Where in the log the transactions of a business date lie. Dates are nearly in the order of
    -- the log, so a list between dates walks little more than what it shows. An index on the date
    -- costs each insert, and a planner that thinks a date's rows lie everywhere does not use it.
    create table if not exists transaction_days (
        day            date   not null,
        first_position bigint not null,
        last_position  bigint not null,

        constraint transaction_days_pkey primary key (day)
    );

    -- Money in and out per account and business date.
    create table if not exists flows (
        account_id     text collate "C" not null,
        day            date             not null,
        debits         numeric          not null,
        credits        numeric          not null,
        legs           bigint           not null,
        -- Where in the account's stream the day's legs lie: a statement between dates reads only
        -- from the least to the greatest.
        first_sequence bigint           not null,
        last_sequence  bigint           not null,

        constraint flows_pkey primary key (account_id, day)
    ) with (fillfactor = 70);

    -- What is open on itemised accounts. An item at zero has no row.
    create table if not exists open_items (
        account_id      text collate "C" not null,
        item            text collate "C" not null,
        -- Debits less credits.
        net_debits      numeric          not null,
        -- The leg that took it away from zero.
        opened_position bigint           not null,
        opened_at       timestamptz      not null,

        constraint open_items_pkey primary key (account_id, item),
        constraint open_items_open check (net_debits <> 0)
    );
    -- The oldest open items of an account first: the break list.
    create index if not exists open_items_age on open_items (account_id, opened_position, item);

    create table if not exists holds (
        id              uuid             not null,
        account_id      text collate "C" not null,
        -- What is reserved, or was when it ended.
        amount          numeric          not null,
        state           text collate "C" not null,
        captured        numeric,
        transaction_id  uuid,
        expires_at      timestamptz,
        placed_at       timestamptz      not null,
        placed_position bigint           not null,
        ended_at        timestamptz,
        sequence        bigint           not null,
        last_position   bigint           not null,

        constraint holds_pkey primary key (id)
    ) with (fillfactor = 80);
    -- For the sweeper: open holds whose time has come.
    create index if not exists holds_expiring on holds (expires_at, id)
        where state = 'open' and expires_at is not null;
    -- An account's holds, newest first.
    create index if not exists holds_account on holds (account_id, placed_position);
end
$make$;

set local role bahi_app;
select make_read_models('read');
reset role;
