-- What deposits are listed from and asked after by, and the virtual accounts of wallets.

-- The read models of before, and more: `make_read_models` stays the one text that the migration
-- and a rebuild share.
alter function make_read_models(text) rename to make_read_models_without_deposits;

create function make_read_models(schema_name text) returns void language plpgsql
    set search_path = pg_catalog, public
as $make$
begin
    perform make_read_models_without_deposits(schema_name);
    perform set_config('search_path', quote_ident(schema_name), true);

    -- One row per deposit, as its last event left it.
    create table if not exists deposits (
        id             uuid             not null,
        -- Nothing if nobody knows whose money it is.
        account_id     text collate "C",
        currency       text collate "C" not null,
        bank           text collate "C" not null,
        -- What was asked for, and until when it can be paid; nothing if nobody asked.
        amount         numeric,
        expires_at     timestamptz,
        credited       numeric          not null,
        aside          numeric          not null,
        status         text collate "C" not null,
        late           boolean          not null,
        begun_at       timestamptz      not null,
        begun_position bigint           not null,
        changed_at     timestamptz      not null,
        sequence       bigint           not null,
        last_position  bigint           not null,

        constraint deposits_pkey primary key (id)
    ) with (fillfactor = 70);
    -- Whose time comes next. All others, nearly all in the end, are not in it.
    create index if not exists deposits_expiring on deposits (expires_at)
        where status = 'awaiting_payment';
    -- Where money may be on its way that nobody told of, by age: who asks looks at young ones.
    create index if not exists deposits_unpaid on deposits (begun_at)
        where status in ('awaiting_payment', 'received', 'expired', 'failed', 'cancelled');
    -- An account's deposits, newest first; and all of a status.
    create index if not exists deposits_account on deposits (account_id, begun_position);
    create index if not exists deposits_status on deposits (status, begun_position);
end
$make$;

set local role bahi_app;
select make_read_models('read');
reset role;

-- How often a bank was asked about a deposit, and not before when it is asked again. Noted before
-- the question, so that any number of workers ask once. Nothing about money rests on it.
create table deposit_questions (
    deposit_id uuid        not null,
    asked      int         not null,
    next_at    timestamptz not null,

    constraint deposit_questions_pkey primary key (deposit_id)
) with (fillfactor = 50);

-- The standing virtual account of a wallet at a bank: what is sent there is the wallet's, asked for
-- or not. A row stays for ever: the number was given away.
create table virtual_accounts (
    id              uuid        not null,
    account_id      text        collate "C" not null,
    bank            text        collate "C" not null,
    -- What payers write: follows from the id.
    number          text        collate "C" not null,
    created_at      timestamptz not null,
    principal       text        collate "C" not null,

    constraint virtual_accounts_pkey primary key (id),
    -- One for each wallet and bank; whoever asks again gets it again.
    constraint virtual_accounts_wallet_key unique (account_id, bank),
    -- By which a credit finds its wallet.
    constraint virtual_accounts_number_key unique (bank, number)
);

grant select, insert, update on deposit_questions to bahi_app;
grant select, insert on virtual_accounts to bahi_app;
