-- What auditors see more of: the log made into read models once more, beside the live ones.

-- Where that is done: a schema of its own, empty but for while somebody does it. It belongs to the
-- application, whose worker makes the tables and drops them; the auditors' role has nothing in it.
create schema read_replay authorization bahi_app;

-- A third kind of check: `rebuild` folds the log into empty tables and compares each with the live
-- one.
alter table audit_runs drop constraint audit_runs_kind;
alter table audit_runs add constraint audit_runs_kind check (
    kind in ('verify', 'replay', 'rebuild')
);
-- Of a rebuild: how many rows of each table were compared, how many differ, and some of those.
alter table audit_runs add column tables jsonb;
grant update (tables) on audit_runs to bahi_app;
