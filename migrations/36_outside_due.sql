-- When a credit of an outside payer, or what goes back to one, is looked at next: ever later, so
-- that what cannot be done yet keeps nothing else waiting.
alter table outside_credits add column due_at timestamptz not null default now();
alter table outside_returns add column due_at timestamptz not null default now();

create index outside_credits_due on outside_credits (due_at) where state = 'open';
create index outside_returns_due on outside_returns (due_at) where state = 'open';
drop index outside_credits_open;
drop index outside_returns_open;

grant update (due_at) on outside_credits to bahi_app;
grant update (due_at) on outside_returns to bahi_app;
