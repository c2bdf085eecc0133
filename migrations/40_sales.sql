-- What shops sold by the quarter of an hour, and what settles on which day: the sums that a shop's
-- home page shows, without a look at each payment.

-- The read models of before, and more: `make_read_models` stays the one text that the migration
-- and a rebuild share.
alter function make_read_models(text) rename to make_read_models_without_sales;

create function make_read_models(schema_name text) returns void language plpgsql
    set search_path = pg_catalog, public
as $make$
begin
    perform make_read_models_without_sales(schema_name);
    perform set_config('search_path', quote_ident(schema_name), true);

    -- One row per shop and quarter of an hour in which something was paid or went back.
    create table if not exists sales (
        merchant  text collate "C" not null,
        currency  text collate "C" not null,
        begins_at timestamptz      not null,
        payments  bigint           not null,
        gross     numeric          not null,
        -- What the payments cost the shop, without the tax in it.
        fee       numeric          not null,
        tax       numeric          not null,
        -- What went back in that time, of whichever payments.
        refunds   numeric          not null,

        constraint sales_pkey primary key (merchant, begins_at, currency)
    ) with (fillfactor = 70);

    -- One row per shop and bank day on which something of it settles, or has settled.
    create table if not exists settling_days (
        merchant text collate "C" not null,
        currency text collate "C" not null,
        day      date             not null,
        -- How many payments wait for it, and what is left of them.
        payments bigint           not null,
        amount   numeric          not null,

        -- Without a check that there are none too few: a row that takes some away is checked
        -- before it is added to the one that is there.
        constraint settling_days_pkey primary key (merchant, day, currency)
    ) with (fillfactor = 70);
end
$make$;

set local role bahi_app;
select make_read_models('read');

-- What is there already.
insert into read.sales (merchant, currency, begins_at, payments, gross, fee, tax, refunds)
select merchant, currency, date_bin('15 minutes', at, '1970-01-01T00:00:00Z'),
       sum(payments), sum(gross), sum(fee), sum(tax), sum(refunds)
from (
    select merchant, currency, paid_at as at, 1 as payments, gross, fee, tax, 0 as refunds
    from read.payments
    union all
    select p.merchant, p.currency, e.recorded_at, 0, 0, 0, 0, r.amount
    from read.refunds r
    join read.payments p on p.id = r.payment_id
    join public.events e on e.aggregate_type = 'payment'
        and e.aggregate_id = 'pay_' || replace(p.id::text, '-', '')
        and e.event_type = 'refund_completed' and e.position <= p.last_position
        and convert_from(e.payload, 'UTF8')::json ->> 'refund_id'
            = 'rf_' || replace(r.id::text, '-', '')
) happened
group by 1, 2, 3;

insert into read.settling_days (merchant, currency, day, payments, amount)
select p.merchant, p.currency, p.settles_on,
       count(*) filter (where p.settlement_id is null),
       coalesce(sum(p.net - coalesce(t.amount, 0)) filter (where p.settlement_id is null), 0)
from read.payments p
left join lateral (
    select sum((convert_from(e.payload, 'UTF8')::json -> 'from' ->> 'unsettled')::numeric)
        as amount
    from public.events e
    where e.aggregate_type = 'payment'
        and e.aggregate_id = 'pay_' || replace(p.id::text, '-', '')
        and e.event_type in ('refund_completed', 'dispute_opened')
        and e.position <= p.last_position
) t on p.settlement_id is null and (p.refunded > 0 or p.dispute is not null)
group by 1, 2, 3;
reset role;
