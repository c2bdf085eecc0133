-- What payments to shops are listed, settled and refunded from.

-- The read models of before, and more: `make_read_models` stays the one text that the migration
-- and a rebuild share.
alter function make_read_models(text) rename to make_read_models_without_payments;

create function make_read_models(schema_name text) returns void language plpgsql
    set search_path = pg_catalog, public
as $make$
begin
    perform make_read_models_without_payments(schema_name);
    perform set_config('search_path', quote_ident(schema_name), true);

    -- One row per payment, as its last event left it.
    create table if not exists payments (
        id            uuid             not null,
        -- The shop, as its accounts name it.
        merchant      text collate "C" not null,
        payer_id      text collate "C" not null,
        currency      text collate "C" not null,
        gross         numeric          not null,
        -- What it costs the shop, without the tax in it.
        fee           numeric          not null,
        tax           numeric          not null,
        net           numeric          not null,
        -- What has gone back, and what waits to go back.
        refunded      numeric          not null,
        pending       numeric          not null,
        -- What is held of it, or was given to the payer, by a dispute; and who has won that.
        disputed      numeric          not null,
        dispute       text collate "C",
        status        text collate "C" not null,
        request_id    uuid,
        order_id      text collate "C",
        store         text collate "C",
        terminal      text collate "C",
        settles_on    date             not null,
        settlement_id uuid,
        -- What the settlement moved of it.
        settled       numeric,
        settled_at    timestamptz,
        paid_at       timestamptz      not null,
        paid_position bigint           not null,
        changed_at    timestamptz      not null,
        sequence      bigint           not null,
        last_position bigint           not null,

        constraint payments_pkey primary key (id),
        constraint payments_parts check (gross = fee + tax + net and gross > 0),
        constraint payments_refunded check (
            refunded >= 0 and refunded + pending + disputed <= gross
        )
    ) with (fillfactor = 70);
    -- A shop's list and a payer's, newest first; all in that order.
    create index if not exists payments_merchant on payments (merchant, paid_position);
    create index if not exists payments_payer on payments (payer_id, paid_position);
    create index if not exists payments_position on payments (paid_position);
    -- What a shop knows a payment by.
    create index if not exists payments_order on payments (merchant, order_id, paid_position)
        where order_id is not null;
    -- What a settlement is made of.
    create index if not exists payments_settlement on payments (settlement_id, paid_position)
        where settlement_id is not null;
    -- What has still to be settled, shop by shop: of all payments, those of the last day or two.
    create index if not exists payments_unsettled on payments (merchant, settles_on, paid_position)
        where settlement_id is null;

    -- One row per refund.
    create table if not exists refunds (
        id                 uuid             not null,
        payment_id         uuid             not null,
        merchant           text collate "C" not null,
        payer_id           text collate "C" not null,
        currency           text collate "C" not null,
        amount             numeric          not null,
        status             text collate "C" not null,
        reason             text collate "C",
        requested_at       timestamptz      not null,
        requested_position bigint           not null,
        changed_at         timestamptz      not null,
        last_position      bigint           not null,

        constraint refunds_pkey primary key (id),
        constraint refunds_amount check (amount > 0)
    ) with (fillfactor = 70);
    create index if not exists refunds_payment on refunds (payment_id, requested_position);
    create index if not exists refunds_merchant on refunds (merchant, requested_position);
    -- What waits until its shop has money, the oldest first.
    create index if not exists refunds_pending on refunds (merchant, requested_position)
        where status = 'pending';

    -- One row per payment request.
    create table if not exists payment_requests (
        id               uuid             not null,
        merchant         text collate "C" not null,
        currency         text collate "C" not null,
        -- Nothing: whoever pays says how much.
        amount           numeric,
        order_id         text collate "C",
        store            text collate "C",
        terminal         text collate "C",
        single_use       boolean          not null,
        status           text collate "C" not null,
        payment_id       uuid,
        expires_at       timestamptz,
        created_at       timestamptz      not null,
        created_position bigint           not null,
        changed_at       timestamptz      not null,
        sequence         bigint           not null,
        last_position    bigint           not null,

        constraint payment_requests_pkey primary key (id)
    ) with (fillfactor = 70);
    create index if not exists payment_requests_merchant
        on payment_requests (merchant, created_position);
    create index if not exists payment_requests_position on payment_requests (created_position);
    -- Whose time comes next.
    create index if not exists payment_requests_expiring on payment_requests (expires_at, id)
        where status = 'open' and expires_at is not null;

    -- One row per settlement: the sums of what it settled, a hundred payments at most.
    create table if not exists settlements (
        id             uuid             not null,
        merchant       text collate "C" not null,
        currency       text collate "C" not null,
        payments       bigint           not null,
        gross          numeric          not null,
        fee            numeric          not null,
        tax            numeric          not null,
        -- What was taken out of these payments before: given back, or held for a dispute.
        refunds        numeric          not null,
        -- What it moved, and how much of that repaid what the shop owed.
        net            numeric          not null,
        repaid         numeric          not null,
        settled_at     timestamptz      not null,
        position       bigint           not null,

        constraint settlements_pkey primary key (id),
        constraint settlements_sums check (gross = fee + tax + refunds + net)
    ) with (fillfactor = 70);
    create index if not exists settlements_merchant on settlements (merchant, position);
    create index if not exists settlements_position on settlements (position);
end
$make$;

set local role bahi_app;
select make_read_models('read');
reset role;

-- Which lists of bank holidays days were counted by, and since when: the list of a payment is the
-- last that was in use when it was made.
create table bank_calendars (
    version  integer     not null,
    -- The days, as the list has them.
    holidays date[]      not null,
    used_from timestamptz not null,

    constraint bank_calendars_pkey primary key (version),
    constraint bank_calendars_version check (version > 0)
);
grant select, insert on bank_calendars to bahi_app;
