-- What belongs to this database as an installation: facts that are set once and then compared.
create table installation (
    name   text        not null,
    value  text        not null,
    set_at timestamptz not null default now(),
    constraint installation_pkey primary key (name)
);

-- Insert-only for the application: a service that starts with another secret must not be able to
-- make it the right one. The owner can, with a statement of its own.
grant select, insert on installation to bahi_app;

-- The application compares the migrations that were run with those it was built with, and refuses
-- to start on a database that is older or newer than itself.
grant select on _sqlx_migrations to bahi_app;
