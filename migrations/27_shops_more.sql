-- What shops have since: payouts that go by themselves, and what is said in disputes.

-- The next day on which what is available goes to the bank; a day of India's. A column beside the
-- number of days and not counted from the last payout: a shop that was skipped, or that nobody
-- could look at for a week, keeps its rhythm.
alter table merchants add column payout_next date;
update merchants set payout_next = (now() at time zone 'Asia/Kolkata')::date
    where payout_every is not null;
-- Whose day has come: of all shops those of today, not those with any schedule.
drop index merchants_paid_out;
create index merchants_payout_due on merchants (payout_next, id) where payout_every is not null;
grant update (payout_next) on merchants to bahi_app;

-- What became of each day: a withdrawal, or why there was none. The primary key makes it once. No
-- foreign key to a withdrawal: that is in the log. Never changed, so never granted to be.
create table merchant_payouts (
    merchant_id   uuid        not null,
    day           date        not null,
    withdrawal_id uuid,
    skipped       text        collate "C",
    noted_at      timestamptz not null,

    constraint merchant_payouts_pkey primary key (merchant_id, day),
    constraint merchant_payouts_merchant_fkey foreign key (merchant_id) references merchants (id),
    constraint merchant_payouts_one check ((withdrawal_id is null) <> (skipped is null)),
    constraint merchant_payouts_skipped check (length(skipped) between 1 and 64)
);
grant select, insert on merchant_payouts to bahi_app;

-- What the two sides of a dispute say, and whoever decides it. The log has the amounts and who has
-- won; words of people are here, sealed under the key of whoever said them, so that erasing the key
-- erases them.
create table dispute_words (
    id         uuid        not null,
    -- In which order it was said: several may be said within a microsecond.
    number     bigint      generated always as identity,
    payment_id uuid        not null,
    side       text        collate "C" not null,
    -- Under whose key they are: a person's, a shop's, or the desk's own name.
    subject    text        collate "C" not null,
    words      bytea       not null,
    said_at    timestamptz not null,

    constraint dispute_words_pkey primary key (id),
    constraint dispute_words_side check (side in ('payer', 'shop', 'desk'))
);
-- What was said about one payment, in order.
create index dispute_words_payment on dispute_words (payment_id, number);
grant select, insert on dispute_words to bahi_app;
grant select on merchant_payouts to bahi_auditor;
