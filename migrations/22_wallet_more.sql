-- What was missing around wallets: proving again who one is at a login provider, and problems that
-- people report.

-- An attempt of somebody who is signed in either makes an account their login, or proves again that
-- it is they: people without a password have no other way to.
alter table login_attempts add column proves_again boolean not null default false;
alter table login_attempts add constraint login_attempts_again check (
    not proves_again or person_id is not null
);

-- What people say is wrong with something of theirs. In their own words, so it is erased with them;
-- nothing about money is decided from it.
create table problem_reports (
    id          uuid        not null,
    person_id   uuid        not null,
    -- What it is about: an object of their activity.
    object_id   text        collate "C" not null,
    reason      text        collate "C" not null,
    words       text        not null,
    status      text        collate "C" not null,
    -- What they are told when it is settled.
    answer      text,
    created_at  timestamptz not null,
    settled_at  timestamptz,
    -- The operator's key.
    settled_by  text        collate "C",

    constraint problem_reports_pkey primary key (id),
    constraint problem_reports_person_fkey foreign key (person_id) references people (id),
    constraint problem_reports_reason check (
        reason in ('not_mine', 'wrong_amount', 'not_arrived', 'other')
    ),
    constraint problem_reports_lengths check (
        length(object_id) between 1 and 100 and length(words) <= 1000 and length(answer) <= 1000
    ),
    constraint problem_reports_settled check (
        status in ('open', 'settled')
        and (status = 'settled') = (settled_at is not null)
        and (settled_at is null) = (settled_by is null)
    )
);
-- One open report about one thing: pressing twice reports once.
create unique index problem_reports_open_key on problem_reports (person_id, object_id)
    where status = 'open';
-- What a person said about one thing, and everything of theirs.
create index problem_reports_person on problem_reports (person_id, object_id);
-- The operators' list: what is open, the oldest first.
create index problem_reports_waiting on problem_reports (created_at, id) where status = 'open';

grant select, insert, delete on problem_reports to bahi_app;
grant update (status, answer, settled_at, settled_by) on problem_reports to bahi_app;

-- The read models of before, and more: `make_read_models` stays the one text that the migration
-- and a rebuild share.
alter function make_read_models(text) rename to make_read_models_with_activity_by_account;

create function make_read_models(schema_name text) returns void language plpgsql
    set search_path = pg_catalog, public
as $make$
begin
    perform make_read_models_with_activity_by_account(schema_name);
    perform set_config('search_path', quote_ident(schema_name), true);

    -- What is on its way, for the balance, and what ended badly, for the list and its counts: a
    -- handful of rows of a wallet, whose history may have tens of thousands. What is done, nearly
    -- everything, is not in it.
    create index if not exists activity_not_done on activity (account_id, status, began_position)
        where status <> 'done';
    -- What a bank's reference means to a wallet. Transfers, nearly everything, have none.
    create index if not exists activity_utr on activity (account_id, utr) where utr is not null;
end
$make$;

set local role bahi_app;
select make_read_models('read');
reset role;
