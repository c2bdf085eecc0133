-- What two persons say became of a withdrawal that no bank tells the outcome of.
--
-- Not part of the log until it is approved: then the withdrawal's event has both persons, the
-- reason and the evidence's hash in its metadata. What was withdrawn, or was never approved, stays
-- here.
create table withdrawal_resolutions (
    id              bigint      generated always as identity,
    withdrawal_id   uuid        not null,
    -- The attempt that it is about: what is said of one says nothing of the next.
    attempt         int         not null,
    outcome         text        collate "C" not null,
    -- The bank's own reference of the payment.
    bank_reference  text        collate "C",
    reason          text        not null,
    -- SHA-256 of what they had seen, in lower-case hexadecimal.
    evidence_sha256 text        collate "C" not null,
    -- Who proposed it, with the key of the request and its keyed fingerprint: the same request
    -- again is the same proposal.
    proposed_by     text        collate "C" not null,
    idempotency_key text        collate "C" not null,
    fingerprint     bytea       not null,
    proposed_at     timestamptz not null,
    expires_at      timestamptz not null,
    -- What became of it. `outdated`: the withdrawal had moved on.
    decision        text        collate "C",
    decided_by      text        collate "C",
    decided_at      timestamptz,

    constraint withdrawal_resolutions_pkey primary key (id),
    constraint withdrawal_resolutions_request_key unique (proposed_by, idempotency_key),
    constraint withdrawal_resolutions_well_formed check (
        attempt > 0
        and outcome in ('paid', 'not_paid') and (outcome = 'paid') = (bank_reference is not null)
        and length(reason) between 1 and 200
        and evidence_sha256 ~ '^[0-9a-f]{64}$'
        and length(fingerprint) = 32 and expires_at > proposed_at
    ),
    constraint withdrawal_resolutions_decision check (
        decision in ('approved', 'withdrawn', 'expired', 'outdated')
        and (decision is null) = (decided_by is null) and (decision is null) = (decided_at is null)
        -- The last guard: nobody approves what they have proposed.
        and (decision is distinct from 'approved' or decided_by <> proposed_by)
    )
);
-- One proposal at a time, so that two persons never approve two different ends. It also finds a
-- withdrawal's proposals.
create unique index withdrawal_resolutions_open on withdrawal_resolutions (withdrawal_id)
    where decision is null;
create index withdrawal_resolutions_withdrawal on withdrawal_resolutions (withdrawal_id, id);

grant select, insert on withdrawal_resolutions to bahi_app;
-- What was proposed is never changed, only decided.
grant update (decision, decided_by, decided_at) on withdrawal_resolutions to bahi_app;
