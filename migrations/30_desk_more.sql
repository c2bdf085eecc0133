-- A bank that is drained takes nothing new and sends what it has: before it is left, or before a
-- long maintenance. A bank is paused or drained, never both.
alter table bank_pauses add column drains boolean not null default false;
grant update (reason, paused_by, paused_at, drains) on bank_pauses to bahi_app;

-- More that one person proposes and another agrees to.
alter table desk_proposals drop constraint desk_proposals_well_formed;
alter table desk_proposals add constraint desk_proposals_well_formed check (
    kind in ('assign_suspense', 'return_suspense', 'name_treasury', 'import_statement',
             'define_tier', 'unfreeze_account', 'reset_person', 'write_off', 'define_terms',
             'agree_terms', 'reopen_bank_day')
    and length(reason) between 1 and 200 and length(subject) between 1 and 300
    and (evidence_sha256 is null or evidence_sha256 ~ '^[0-9a-f]{64}$')
    and expires_at > proposed_at
);

-- Bank days that somebody closed: no statement of a bank changes a day up to the last of them,
-- unless two persons opened it again. A row for every close and every opening, and the last of a
-- bank is in force; so none is ever changed.
create table bank_day_closes (
    id          bigint      generated always as identity,
    bank        text        collate "C" not null,
    -- The last day that is closed; nothing after everything was opened again.
    closed_until date,
    reason      text        not null,
    -- How many breaks of the bank stood then: closing explains none of them away.
    breaks_open int         not null,
    done_by     text        collate "C" not null,
    -- The second person of an opening.
    approved_by text        collate "C",
    done_at     timestamptz not null,

    constraint bank_day_closes_pkey primary key (id),
    constraint bank_day_closes_reason check (length(reason) between 1 and 200),
    constraint bank_day_closes_persons check (approved_by is null or approved_by <> done_by)
);
-- The one in force of a bank.
create index bank_day_closes_bank on bank_day_closes (bank, id);

create trigger bank_day_closes_append_only before update or delete on bank_day_closes
    for each row execute function refuse_change();
create trigger bank_day_closes_no_truncate before truncate on bank_day_closes
    for each statement execute function refuse_change();
alter table bank_day_closes enable always trigger bank_day_closes_append_only;
alter table bank_day_closes enable always trigger bank_day_closes_no_truncate;

grant select, insert on bank_day_closes to bahi_app;
grant select on bank_day_closes to bahi_auditor;
