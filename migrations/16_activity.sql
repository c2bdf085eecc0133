-- What the owner of a wallet sees of it, in one list.

-- The read models of before, and more: `make_read_models` stays the one text that the migration
-- and a rebuild share.
alter function make_read_models(text) rename to make_read_models_without_activity;

create function make_read_models(schema_name text) returns void language plpgsql
    set search_path = pg_catalog, public
as $make$
begin
    perform make_read_models_without_activity(schema_name);
    perform set_config('search_path', quote_ident(schema_name), true);

    -- One row per wallet and business object: a deposit from its beginning on, a withdrawal, a
    -- transfer on both sides of it, a payment, a correction. What deposits and withdrawals move are
    -- no rows of their own.
    create table if not exists activity (
        account_id      text collate "C" not null,
        -- `dep_…`, `wd_…`, `tr_…`; `txn_…` for a transaction that belongs to no such object.
        object_id       text collate "C" not null,
        kind            text collate "C" not null,
        -- `in` or `out`, as the wallet's owner sees it.
        direction       text collate "C" not null,
        -- The word that is shown, and the one that the object itself has for it.
        status          text collate "C" not null,
        object_status   text collate "C" not null,
        currency        text collate "C" not null,
        -- Without the fee; above zero.
        amount          numeric          not null,
        fee             numeric          not null,
        -- The account on the other side, if it is one.
        counterparty    text collate "C",
        -- The bank's reference of the payment.
        utr             text collate "C",
        began_at        timestamptz      not null,
        began_position  bigint           not null,
        changed_at      timestamptz      not null,
        last_position   bigint           not null,

        -- By the object first: an object's event finds all who see it.
        constraint activity_pkey primary key (object_id, account_id),
        constraint activity_direction check (direction in ('in', 'out')),
        constraint activity_amount check (amount >= 0 and fee >= 0)
    ) with (fillfactor = 70);
    -- A wallet's list, newest first. Neither status nor amount is in an index: they change, and one
    -- wallet's rows are few enough to be looked through.
    create unique index if not exists activity_account on activity (account_id, began_position);
end
$make$;

set local role bahi_app;
select make_read_models('read');
reset role;
