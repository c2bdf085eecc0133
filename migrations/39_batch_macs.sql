-- The MAC of a batch: HMAC-SHA256 over its number, last position, moment and head's hash, by a key
-- that follows from the installation's secret and is in no database. Whoever has stolen the
-- application's login can append; what they append lacks it. Batches of before have none, for
-- nobody rewrites them.
alter table batches add column mac bytea;
-- Not looked at in what is there, which has none: a look would hold appends up.
alter table batches add constraint batches_mac_length check (length(mac) = 32) not valid;

-- What else one person proposes at the desk and another agrees to: the close of a year.
alter table desk_proposals drop constraint desk_proposals_well_formed;
alter table desk_proposals add constraint desk_proposals_well_formed check (
    kind in ('assign_suspense', 'return_suspense', 'name_treasury', 'import_statement',
             'define_tier', 'unfreeze_account', 'reset_person', 'write_off', 'define_terms',
             'agree_terms', 'reopen_bank_day', 'define_fee', 'close_period', 'reopen_period',
             'close_year', 'approve_treasury', 'settle_lump', 'send_outside_again')
    and length(reason) between 1 and 200 and length(subject) between 1 and 300
    and (evidence_sha256 is null or evidence_sha256 ~ '^[0-9a-f]{64}$')
    and expires_at > proposed_at
);
