-- What transfers that wait to be claimed are listed from and found by.

-- The read models of before, and more: `make_read_models` stays the one text that the migration
-- and a rebuild share.
alter function make_read_models(text) rename to make_read_models_without_transfers;

create function make_read_models(schema_name text) returns void language plpgsql
    set search_path = pg_catalog, public
as $make$
begin
    perform make_read_models_without_transfers(schema_name);
    perform set_config('search_path', quote_ident(schema_name), true);

    -- One row per transfer that waits or has waited, as its last event left it. A transfer to
    -- somebody who is known is a transaction and has no row: that is nearly all of them.
    create table if not exists transfers (
        id            uuid             not null,
        -- The sender's.
        account_id    text collate "C" not null,
        currency      text collate "C" not null,
        amount        numeric          not null,
        fee           numeric          not null,
        phone_hash    text collate "C" not null,
        status        text collate "C" not null,
        -- Who has it, or wants it while the claim is in review.
        receiver_id   text collate "C",
        reason        text collate "C",
        expires_at    timestamptz      not null,
        held_at       timestamptz      not null,
        held_position bigint           not null,
        changed_at    timestamptz      not null,
        sequence      bigint           not null,
        last_position bigint           not null,

        constraint transfers_pkey primary key (id)
    ) with (fillfactor = 70);
    -- Whose time comes next. All others, nearly all in the end, are not in it.
    create index if not exists transfers_expiring on transfers (expires_at, id)
        where status in ('pending_claim', 'claim_in_review');
    -- What waits for whoever proves a number.
    create index if not exists transfers_waiting on transfers (phone_hash, held_position)
        where status in ('pending_claim', 'claim_in_review');
    -- What an account has sent and got, newest first; and all in that order, or of a status.
    create index if not exists transfers_account on transfers (account_id, held_position);
    create index if not exists transfers_receiver on transfers (receiver_id, held_position)
        where receiver_id is not null;
    create index if not exists transfers_position on transfers (held_position);
    create index if not exists transfers_status on transfers (status, held_position);
end
$make$;

set local role bahi_app;
select make_read_models('read');
reset role;
