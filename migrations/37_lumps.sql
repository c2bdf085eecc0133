-- What a bank says that a line is made of, where the line is the lump of several credits: a payment
-- gateway's, net of what it keeps. The line stays one line, for only it moved the account; its
-- parts say which deposits it settles. They are stored with the line, once, and never change.
create table statement_line_parts (
    line_id             text    collate "C" not null,
    -- From 1, in the bank's order; charges and tax behind the credits.
    number              int     not null,
    -- arrival: a credit, before anything was kept back. charges, tax: what was kept back of all.
    purpose             text    collate "C" not null,
    amount              numeric not null,
    -- What the bank calls the credit: its number for it, the reference between banks, ours.
    bank_transaction_id text    collate "C",
    utr                 text    collate "C",
    reference           text    collate "C",

    -- Parts are read by their line, all of them.
    constraint statement_line_parts_pkey primary key (line_id, number),
    constraint statement_line_parts_purpose check (purpose in ('arrival', 'charges', 'tax')),
    constraint statement_line_parts_amount check (amount > 0)
);

create trigger statement_line_parts_append_only before update or delete on statement_line_parts
    for each row execute function refuse_change();
create trigger statement_line_parts_no_truncate before truncate on statement_line_parts
    for each statement execute function refuse_change();
alter table statement_line_parts enable always trigger statement_line_parts_append_only;
alter table statement_line_parts enable always trigger statement_line_parts_no_truncate;

grant select, insert on statement_line_parts to bahi_app;

-- What one person proposes at the desk and another agrees to: that a credit in suspense is the lump
-- of several deposits.
alter table desk_proposals drop constraint desk_proposals_well_formed;
alter table desk_proposals add constraint desk_proposals_well_formed check (
    kind in ('assign_suspense', 'return_suspense', 'name_treasury', 'import_statement',
             'define_tier', 'unfreeze_account', 'reset_person', 'write_off', 'define_terms',
             'agree_terms', 'reopen_bank_day', 'define_fee', 'close_period', 'reopen_period',
             'approve_treasury', 'settle_lump')
    and length(reason) between 1 and 200 and length(subject) between 1 and 300
    and (evidence_sha256 is null or evidence_sha256 ~ '^[0-9a-f]{64}$')
    and expires_at > proposed_at
);
