-- Statements of wallets that are too long to be made while somebody waits: asked for, made by one
-- process, kept for an hour, taken away. Nothing is decided by them; whoever loses one asks again.
create table wallet_statement_files (
    id           uuid        not null,
    person_id    uuid        not null,
    from_day     date        not null,
    to_day       date        not null,
    format       text        collate "C" not null,
    state        text        collate "C" not null,
    asked_at     timestamptz not null,
    -- Until when whoever makes it is believed to be at it.
    leased_until timestamptz,
    -- How far it is.
    lines_done   bigint      not null default 0,
    lines_of     bigint      not null,
    -- The place in the log that it reflects.
    position     bigint,
    -- The file, sealed under the person's own key: it has their name and what people wrote to them.
    content      bytea,
    -- When it is taken away, made or not.
    expires_at   timestamptz not null,

    constraint wallet_statement_files_pkey primary key (id),
    constraint wallet_statement_files_person_fkey foreign key (person_id) references people (id),
    -- One of a person at a time: another one takes the place of one that is made.
    constraint wallet_statement_files_person_key unique (person_id),
    constraint wallet_statement_files_form check (
        format in ('pdf', 'csv', 'json') and from_day <= to_day and expires_at > asked_at
        and lines_done >= 0 and lines_of >= 0
    ),
    constraint wallet_statement_files_state check (
        state in ('waiting', 'making', 'ready', 'failed')
        and (state = 'making') = (leased_until is not null)
        and (state = 'ready') = (content is not null)
        and (content is null) = (position is null)
    )
);
-- What is to be taken away.
create index wallet_statement_files_expiry on wallet_statement_files (expires_at);

grant select, insert, update, delete on wallet_statement_files to bahi_app;
