-- Transfers that belong to no other object have no rows in `activity` any more: a wallet's own
-- stream has all that its list shows of them. How many there are is counted with the account, since
-- nobody counts a stream.

-- The read models of before, and more: `make_read_models` stays the one text that the migration
-- and a rebuild share.
alter function make_read_models(text) rename to make_read_models_with_plain_rows;

create function make_read_models(schema_name text) returns void language plpgsql
    set search_path = pg_catalog, public
as $make$
begin
    perform make_read_models_with_plain_rows(schema_name);
    perform set_config('search_path', quote_ident(schema_name), true);

    -- Of two legs, without a cause, and not reversed: what the account's stream is read for.
    alter table accounts add column if not exists plain_transfers bigint not null default 0;
end
$make$;

set local role bahi_app;
select make_read_models('read');

-- What is there already: counted, then taken away. What was reversed keeps its row.
with plain as materialized (
    select e.aggregate_id as account_id, e.position
    from read.transactions t
    join public.events e on e.position between t.first_position and t.last_position
    where t.kind = 'transfer' and t.legs = 2 and t.cause is null and t.reversed_by is null
), counted as (
    update read.accounts a set plain_transfers = p.count
    from (select account_id, count(*) as count from plain group by account_id) p
    where a.id = p.account_id
)
delete from read.activity a using plain p
where a.account_id = p.account_id and a.began_position = p.position;
reset role;
