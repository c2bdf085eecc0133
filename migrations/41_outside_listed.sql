-- What comes for a shop from other banks is listed beside its payments, page by page; and what a
-- message told of is found again when the bank itself is asked.
create index outside_credits_listed on outside_credits (merchant, noted_at desc, payment_id desc)
    where state <> 'paid';
create index outside_credits_deposit on outside_credits (deposit_id);
