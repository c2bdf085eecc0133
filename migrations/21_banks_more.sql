-- Withdrawals that ended late, and were looked at for what that costs us.
--
-- Only spares the looking: that a compensation is paid once is held by the ledger, under a key of
-- its withdrawal.
create table withdrawal_compensations (
    withdrawal_id uuid        not null,
    -- How many days; none: it was in time after all, by the bank's own days.
    days_late     int         not null,
    noted_at      timestamptz not null,

    constraint withdrawal_compensations_pkey primary key (withdrawal_id),
    constraint withdrawal_compensations_days check (days_late >= 0)
);

grant select, insert on withdrawal_compensations to bahi_app;
