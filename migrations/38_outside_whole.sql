-- What shops and people at the desk see of money from outside.
--
-- A code on a wall names its shop by the shop's address and no request, so a credit may be of a
-- shop alone. How much the bank tells is noted for the shop to see from its first message on; what
-- is paid is what the ledger has booked. What came back of a bank is sent once more when two
-- persons say so: another withdrawal each time.
alter table outside_credits alter column request_id drop not null;
alter table outside_credits add column amount numeric;
-- What it becomes: follows from the account, and is here to be looked up.
alter table outside_credits add column payment_id uuid;
alter table outside_credits add constraint outside_credits_amount check (amount > 0);
alter table outside_returns add column attempt integer not null default 1;
alter table outside_returns
    add constraint outside_returns_attempt check (attempt between 1 and 100);

-- What comes for a request, and for a shop, the newest first.
create index outside_credits_request on outside_credits (request_id, noted_at);
create index outside_credits_merchant on outside_credits (merchant, state, noted_at);
create index outside_credits_payment on outside_credits (payment_id);
-- Which refund a withdrawal from such an account carries.
create index outside_returns_account on outside_returns (account_id);
-- What a withdrawal was to send.
create index outside_returns_withdrawal on outside_returns (withdrawal_id);

grant update (amount, payment_id) on outside_credits to bahi_app;
grant update (attempt) on outside_returns to bahi_app;

-- One person proposes to send it once more, and another agrees.
alter table desk_proposals drop constraint desk_proposals_well_formed;
alter table desk_proposals add constraint desk_proposals_well_formed check (
    kind in ('assign_suspense', 'return_suspense', 'name_treasury', 'import_statement',
             'define_tier', 'unfreeze_account', 'reset_person', 'write_off', 'define_terms',
             'agree_terms', 'reopen_bank_day', 'define_fee', 'close_period', 'reopen_period',
             'approve_treasury', 'settle_lump', 'send_outside_again')
    and length(reason) between 1 and 200 and length(subject) between 1 and 300
    and (evidence_sha256 is null or evidence_sha256 ~ '^[0-9a-f]{64}$')
    and expires_at > proposed_at
);
