-- Shops: who they are, who works for them, where their tills stand, and their own sessions.
--
-- Not part of the log, as people are not: the log has a shop's opaque id in the codes of its
-- accounts, and who asked by the opaque id of a person.

create table merchants (
    id               uuid        not null,
    -- What payers find it by: the part before the @ of its address for payments. A room of its own:
    -- a shop and a person may have one handle, for nobody ever asks for both in one place.
    handle           text        collate "C" not null,
    -- The name on its papers and the one over its door, sealed by the shop's own key: of one who
    -- trades alone they are the name of a person.
    legal_name       bytea       not null,
    display_name     bytea       not null,
    -- What kind of shop it is, in the four digits of ISO 18245.
    category         text        collate "C" not null,
    status           text        collate "C" not null default 'active',
    -- How many bank days after the payment its money can be spent.
    settlement_lag   smallint    not null,
    -- Which version of the fees it agreed to.
    terms_version    integer     not null,
    -- Every how many days what is available goes to the bank; nothing: by hand.
    payout_every     smallint,
    -- Where it goes then. Not a foreign key: a bank account may be erased at any time.
    payout_account   uuid,
    created_at       timestamptz not null,
    -- When its accounts were known to be in the ledger.
    opened_at        timestamptz,

    constraint merchants_pkey primary key (id),
    constraint merchants_handle_key unique (handle),
    constraint merchants_handle check (handle ~ '^[a-z][a-z0-9_]{2,19}$'),
    constraint merchants_category check (category ~ '^[0-9]{4}$'),
    constraint merchants_status check (status in ('active', 'closed')),
    constraint merchants_lag check (settlement_lag between 0 and 30),
    constraint merchants_terms check (terms_version > 0),
    constraint merchants_payout check (payout_every between 1 and 31)
);
-- What a start finishes: few rows.
create index merchants_unopened on merchants (id) where opened_at is null and status = 'active';
-- Whose money goes to the bank by itself.
create index merchants_paid_out on merchants (id) where payout_every is not null;

-- Who works for a shop, and what they may do there. Looked at with every request: a role that was
-- taken away is gone with the next one.
create table merchant_members (
    merchant_id uuid        not null,
    person_id   uuid        not null,
    role        text        collate "C" not null,
    joined_at   timestamptz not null,

    constraint merchant_members_pkey primary key (merchant_id, person_id),
    constraint merchant_members_merchant_fkey foreign key (merchant_id) references merchants (id),
    constraint merchant_members_person_fkey foreign key (person_id) references people (id),
    constraint merchant_members_role check (role in ('owner', 'cashier', 'accountant'))
);
-- Which shops somebody works for.
create index merchant_members_person on merchant_members (person_id);

-- Who was asked to work for a shop and has not answered. One per shop and address: another one
-- takes the place of the one before.
create table merchant_invitations (
    merchant_id uuid        not null,
    -- HMAC of the address, as people are found by; and the address, sealed by the shop's key.
    email_hash  bytea       not null,
    email       bytea       not null,
    role        text        collate "C" not null,
    -- HMAC of the six digits that were sent there.
    code_hash   bytea       not null,
    created_at  timestamptz not null,
    expires_at  timestamptz not null,
    attempts    smallint    not null default 0,

    constraint merchant_invitations_pkey primary key (merchant_id, email_hash),
    constraint merchant_invitations_merchant_fkey
        foreign key (merchant_id) references merchants (id),
    constraint merchant_invitations_role check (role in ('owner', 'cashier', 'accountant')),
    constraint merchant_invitations_hashes check (
        length(email_hash) = 32 and length(code_hash) = 32
    ),
    constraint merchant_invitations_attempts check (attempts >= 0)
);
-- What waits for somebody, by their address.
create index merchant_invitations_email on merchant_invitations (email_hash);
create index merchant_invitations_expiry on merchant_invitations (expires_at);

-- Places where a shop sells, and what stands there. Closed and never deleted: payments name them.
create table merchant_stores (
    id          uuid        not null,
    merchant_id uuid        not null,
    name        text        not null,
    created_at  timestamptz not null,
    closed_at   timestamptz,

    constraint merchant_stores_pkey primary key (id),
    -- So that a terminal can hold on to both: it stands in a store of its own shop.
    constraint merchant_stores_whose_key unique (id, merchant_id),
    constraint merchant_stores_merchant_fkey foreign key (merchant_id) references merchants (id),
    constraint merchant_stores_name check (length(name) between 1 and 80)
);
create index merchant_stores_merchant on merchant_stores (merchant_id);

create table merchant_terminals (
    id          uuid        not null,
    merchant_id uuid        not null,
    store_id    uuid        not null,
    name        text        not null,
    created_at  timestamptz not null,
    closed_at   timestamptz,

    constraint merchant_terminals_pkey primary key (id),
    constraint merchant_terminals_store_fkey foreign key (store_id, merchant_id)
        references merchant_stores (id, merchant_id),
    constraint merchant_terminals_name check (length(name) between 1 and 80)
);
create index merchant_terminals_store on merchant_terminals (store_id);

-- A session is of the wallet or of a shop, by the cookie that it was begun for, and stays that: the
-- token of the one opens nothing of the other. One of a shop says in whose name, once it is chosen.
alter table sessions
    add column audience text collate "C" not null default 'wallet',
    add column merchant_id uuid,
    add constraint sessions_audience check (
        audience in ('wallet', 'shop') and (audience = 'shop' or merchant_id is null)
    ),
    add constraint sessions_merchant_fkey foreign key (merchant_id) references merchants (id);

grant select, insert on merchants, merchant_members, merchant_invitations, merchant_stores,
    merchant_terminals to bahi_app;
grant update (legal_name, display_name, category, status, settlement_lag, terms_version,
    payout_every, payout_account, opened_at) on merchants to bahi_app;
grant update (role), delete on merchant_members to bahi_app;
grant update (email, role, code_hash, created_at, expires_at, attempts), delete
    on merchant_invitations to bahi_app;
grant update (name, closed_at) on merchant_stores, merchant_terminals to bahi_app;
grant update (merchant_id) on sessions to bahi_app;
