-- The desk: what the people who run the service propose to one another. What they did beside the
-- log is in the access log.
--
-- Proposals are what takes a second person and has no table of its own (`withdrawal_resolutions`
-- has): one person says what is to be done, with the very request that the API would take, and
-- another agrees. Only then anything happens; if that is an event, both are in its metadata.
create table desk_proposals (
    id              bigint      generated always as identity,
    -- What is to be done. A name is a contract: stored proposals are carried out by it.
    kind            text        collate "C" not null,
    -- What it is about: the credit, the line, the account, the bank.
    subject         text        collate "C" not null,
    -- The request, as it is carried out. Names nobody.
    body            jsonb       not null,
    reason          text        not null,
    -- SHA-256 of what the two have seen, in lower-case hexadecimal; nothing where none is needed.
    evidence_sha256 text        collate "C",
    proposed_by     text        collate "C" not null,
    -- What makes a second click the same proposal.
    idempotency_key text        collate "C" not null,
    proposed_at     timestamptz not null,
    expires_at      timestamptz not null,
    decision        text        collate "C",
    decided_by      text        collate "C",
    decided_at      timestamptz,
    -- Why it was turned down, or what the ledger said to it.
    answer          text,

    constraint desk_proposals_pkey primary key (id),
    constraint desk_proposals_request_key unique (proposed_by, idempotency_key),
    constraint desk_proposals_well_formed check (
        kind in ('assign_suspense', 'return_suspense', 'name_treasury', 'import_statement',
                 'define_tier', 'unfreeze_account', 'reset_person')
        and length(reason) between 1 and 200 and length(subject) between 1 and 300
        and (evidence_sha256 is null or evidence_sha256 ~ '^[0-9a-f]{64}$')
        and expires_at > proposed_at
    ),
    constraint desk_proposals_decision check (
        decision in ('approved', 'rejected', 'withdrawn', 'expired')
        and (decision is null) = (decided_by is null) and (decision is null) = (decided_at is null)
        -- The last guard: nobody approves what they have proposed.
        and (decision is distinct from 'approved' or decided_by <> proposed_by)
    )
);
-- One proposal about a thing at a time, so that two persons never approve two different ends. The
-- inbox reads it too.
create unique index desk_proposals_open on desk_proposals (kind, subject)
    where decision is null;
create index desk_proposals_subject on desk_proposals (subject, id);

-- The file that a proposal to import one is about; taken away when it is decided, for the
-- statement that comes of it has its own place, and it names people.
create table desk_proposal_files (
    proposal_id bigint not null,
    bytes       bytea  not null,

    constraint desk_proposal_files_pkey primary key (proposal_id),
    constraint desk_proposal_files_proposal foreign key (proposal_id)
        references desk_proposals (id)
);

grant select, insert on desk_proposals to bahi_app;
grant select, insert, delete on desk_proposal_files to bahi_app;
-- What was proposed is never changed, only decided.
grant update (decision, decided_by, decided_at, answer) on desk_proposals to bahi_app;
-- What two persons agreed on is an auditor's to see; the files, which name people, are not.
grant select on desk_proposals to bahi_auditor;
