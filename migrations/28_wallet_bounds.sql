-- A code by mail goes with the word of a login provider that cannot say when somebody logged in
-- there: it proves again who it is, and nothing else.
alter table person_codes drop constraint person_codes_purpose;
alter table person_codes add constraint person_codes_purpose check (
    purpose in ('email', 'phone', 'reset', 'step_up')
);

-- Moves between our own accounts at a bank that a day's close has asked for: what is missing for
-- customers' money to be backed comes in, what is there beyond it goes out. Decided by people; the
-- lines of the bank's statements are what moves our accounts, found by the reference.
create table treasury_moves (
    id              uuid        not null,
    -- What people put on the transfer at the bank, and the item of both lines in the ledger.
    reference       text        collate "C" not null,
    -- The certificate that asked for it.
    day             date        not null,
    currency        text        collate "C" not null,
    -- top_up: from our own account to escrow. sweep: from escrow to our own account.
    direction       text        collate "C" not null,
    bank            text        collate "C" not null,
    amount          numeric     not null,
    headroom        numeric     not null,
    status          text        collate "C" not null default 'proposed',
    proposed_at     timestamptz not null,
    decided_at      timestamptz,
    decided_by      text        collate "C",
    -- The second person, where one is not enough, and the hash of what both have seen.
    approved_by     text        collate "C",
    evidence_sha256 text        collate "C",
    reason          text        collate "C",

    constraint treasury_moves_pkey primary key (id),
    constraint treasury_moves_reference_key unique (reference),
    -- A day's close asks once.
    constraint treasury_moves_day_key unique (currency, day),
    constraint treasury_moves_direction check (direction in ('top_up', 'sweep')),
    constraint treasury_moves_amount check (amount > 0),
    constraint treasury_moves_decided check (
        status in ('proposed', 'approved', 'rejected', 'superseded')
        and (status in ('approved', 'rejected')) = (decided_by is not null)
        and (status = 'proposed') = (decided_at is null)
    )
);
-- What is not decided, and what lines are to be found for.
create index treasury_moves_open on treasury_moves (currency, bank)
    where status in ('proposed', 'approved');

grant select, insert on treasury_moves to bahi_app;
grant update (status, decided_at, decided_by, approved_by, evidence_sha256, reason)
    on treasury_moves to bahi_app;

-- What a day that a bank was late was worth when it was paid for: the rate is a setting.
alter table withdrawal_compensations add column per_day numeric;
grant select on treasury_moves to bahi_auditor;
