-- What the programs of shops asked for, as their developers look it up: by the request's id, or the
-- newest first. No bodies, no addresses with what stands behind the question mark, no words of the
-- answers. A row is written after its request was answered and is lost if the process dies before;
-- rows are for people, and nothing rests on them. Old rows are deleted, and those beyond the newest
-- of each shop.
create table api_requests (
    number     bigint      generated always as identity,
    -- Whose key it was.
    merchant   uuid        not null,
    request_id uuid        not null,
    at         timestamptz not null,
    method     text        collate "C" not null,
    -- The address as it stands in the API's description: with {id} and not with an id.
    route      text        collate "C" not null,
    status     smallint    not null,
    -- The problem's code, if it was answered with one.
    code       text        collate "C",
    key_id     text        collate "C" not null,
    micros     bigint      not null,

    constraint api_requests_pkey primary key (number),
    constraint api_requests_micros check (micros >= 0)
);
-- A shop's list, newest first; and what is beyond its bound.
create index api_requests_merchant on api_requests (merchant, number);
-- Looked up by the id that an answer named.
create index api_requests_request on api_requests (merchant, request_id);
-- What is too old.
create index api_requests_at on api_requests (at);

grant select, insert, delete on api_requests to bahi_app;

-- Money that payers with apps of other banks sent to a shop's code: which credit it is, and which
-- request its reference named. A row is there before the credit is booked, so that whoever finds
-- money on the account knows what it is for. Money rests on the ledger alone: payments and what is
-- sent back have ids that follow from the credit.
create table outside_credits (
    deposit_id uuid        not null,
    -- The account on which the money waits for its payment: of this credit alone.
    account_id text        collate "C" not null,
    bank       text        collate "C" not null,
    -- The bank's name for it, by which it is asked who paid; nothing where only the statement
    -- told of it so far.
    credit_id  text        collate "C",
    request_id uuid        not null,
    merchant   uuid        not null,
    noted_at   timestamptz not null,
    -- open: not booked, or not paid to the shop yet. paid: the shop has it. back: it goes back.
    -- people: it was booked elsewhere, and people look.
    state      text        collate "C" not null default 'open',
    -- Why the shop does not have it.
    reason     text        collate "C",

    constraint outside_credits_pkey primary key (account_id),
    constraint outside_credits_state check (state in ('open', 'paid', 'back', 'people'))
);
create index outside_credits_open on outside_credits (noted_at) where state = 'open';

-- What goes back to such a payer: all of a credit that the shop does not have, or a refund.
create table outside_returns (
    -- The refund's id, or the deposit's.
    id            uuid        not null,
    account_id    text        collate "C" not null,
    is_refund     boolean     not null,
    asked_at      timestamptz not null,
    -- open: not sent. sent: the withdrawal is in the ledger. dropped: there is no such refund.
    state         text        collate "C" not null default 'open',
    withdrawal_id uuid,

    constraint outside_returns_pkey primary key (id),
    constraint outside_returns_account_fkey foreign key (account_id)
        references outside_credits (account_id),
    constraint outside_returns_state check (
        state in ('open', 'sent', 'dropped') and (state = 'sent') = (withdrawal_id is not null)
    )
);
create index outside_returns_open on outside_returns (asked_at) where state = 'open';

grant select, insert on outside_credits, outside_returns to bahi_app;
grant update (credit_id, state, reason) on outside_credits to bahi_app;
grant update (state, withdrawal_id) on outside_returns to bahi_app;
