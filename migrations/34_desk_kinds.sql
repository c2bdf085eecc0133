-- What else one person proposes at the desk and another agrees to: a version of what withdrawals or
-- transfers cost, the close of months and their opening again, and a move between our own accounts.
alter table desk_proposals drop constraint desk_proposals_well_formed;
alter table desk_proposals add constraint desk_proposals_well_formed check (
    kind in ('assign_suspense', 'return_suspense', 'name_treasury', 'import_statement',
             'define_tier', 'unfreeze_account', 'reset_person', 'write_off', 'define_terms',
             'agree_terms', 'reopen_bank_day', 'define_fee', 'close_period', 'reopen_period',
             'approve_treasury')
    and length(reason) between 1 and 200 and length(subject) between 1 and 300
    and (evidence_sha256 is null or evidence_sha256 ~ '^[0-9a-f]{64}$')
    and expires_at > proposed_at
);
