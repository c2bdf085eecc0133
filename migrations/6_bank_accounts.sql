-- Bank accounts that customers may be paid to.
--
-- Not part of the log: who is paid is personal data, and what is in the log stays for ever. The log
-- has the id, and a keyed hash by which a swapped payee is found out before money is sent.

-- That there is one, whose it is, and whether it was checked. Stays, so that an id that stands in
-- the log never gets another meaning.
create table bank_accounts (
    id              uuid        not null,
    owner           text        collate "C" not null,
    created_at      timestamptz not null,
    -- Who made it, with the key of the request and its keyed fingerprint: the same request again is
    -- the same bank account.
    principal       text        collate "C" not null,
    idempotency_key text        collate "C" not null,
    fingerprint     bytea       not null,
    status          text        collate "C" not null default 'unverified',
    -- Why it was refused, as a code.
    reason          text        collate "C",
    -- The last check: when, and by which bank.
    checked_at      timestamptz,
    checked_by      text        collate "C",
    deleted_at      timestamptz,

    constraint bank_accounts_pkey primary key (id),
    constraint bank_accounts_request_key unique (principal, idempotency_key),
    constraint bank_accounts_status check (
        status in ('unverified', 'verified', 'refused', 'deleted')
        and (status = 'refused') = (reason is not null)
        and (status = 'deleted') = (deleted_at is not null)
    ),
    constraint bank_accounts_fingerprint check (length(fingerprint) = 32)
);
-- An owner's list, the newest first: ids grow with time.
create index bank_accounts_owner on bank_accounts (owner, id);

-- The only place of numbers and names. A row is written once and erased; the application may not
-- change it, but for what the bank calls the owner, so that no payee is swapped in place.
create table bank_account_details (
    bank_account_id uuid not null,
    account_number  text not null,
    ifsc            text not null,
    name            text not null,
    registered_name text,

    constraint bank_account_details_pkey primary key (bank_account_id),
    -- No cascade: the row above is never removed.
    constraint bank_account_details_account_fkey
        foreign key (bank_account_id) references bank_accounts (id)
);

grant select, insert on bank_accounts, bank_account_details to bahi_app;
grant update (status, reason, checked_at, checked_by, deleted_at) on bank_accounts to bahi_app;
grant update (registered_name) on bank_account_details to bahi_app;
grant delete on bank_account_details to bahi_app;
