-- What banks state, as they stated it: files, their lines, and what did not agree.
--
-- Files and lines are added and stay. A corrected statement is another file of the same day; it is
-- compared with what was known, and what differs is a break for people, never an edit.

-- One row for every version of a day of one of our accounts at a bank. The one with the highest id
-- is in force.
create table statement_files (
    id          bigint      generated always as identity,
    bank        text        collate "C" not null,
    account     text        collate "C" not null,
    day         date        not null,
    currency    text        collate "C" not null,
    format      text        collate "C" not null,
    sha256      bytea       not null,
    opening     numeric     not null,
    closing     numeric     not null,
    -- The bank's promise that nothing of the day will change.
    closed      boolean     not null,
    lines       int         not null,
    supersedes  bigint,
    imported_at timestamptz not null default now(),
    imported_by text        collate "C" not null,

    constraint statement_files_pkey primary key (id),
    -- The same file again is the same answer again.
    constraint statement_files_once unique (bank, account, day, sha256),
    constraint statement_files_account check (account in ('escrow', 'own')),
    constraint statement_files_sha256 check (length(sha256) = 32)
);
-- The version in force of a day, of its neighbours, and of the newest day.
create index statement_files_day on statement_files (bank, account, day, id);

-- The lines, each once, as they were stated first.
create table statement_lines (
    -- The order in which they are booked.
    id                  bigint  generated always as identity,
    -- The id of its stream in the log.
    line_id             text    collate "C" not null,
    bank                text    collate "C" not null,
    account             text    collate "C" not null,
    -- The day of the statement that has it.
    day                 date    not null,
    direction           text    collate "C" not null,
    value_date          date    not null,
    bank_transaction_id text    collate "C" not null,
    booking_date        date    not null,
    currency            text    collate "C" not null,
    amount              numeric not null,
    utr                 text    collate "C",
    reference           text    collate "C",
    file_id             bigint  not null,

    constraint statement_lines_pkey primary key (id),
    constraint statement_lines_line_key unique (line_id),
    -- Banks use their numbers again after a time, so the value date belongs to it.
    constraint statement_lines_once
        unique (bank, account, direction, value_date, bank_transaction_id),
    constraint statement_lines_direction check (direction in ('credit', 'debit')),
    constraint statement_lines_amount check (amount > 0)
);
-- The lines of a day, to compare a corrected statement with.
create index statement_lines_day on statement_lines (bank, account, day);
-- Whether a reference of ours is on a statement.
create index statement_lines_reference on statement_lines (bank, reference)
    where reference is not null;

-- The bank's words. Apart, because they may name people: they can be erased.
create table statement_narrations (
    line_id   text collate "C" not null,
    narration text not null,

    constraint statement_narrations_pkey primary key (line_id)
);

-- What a version of a day says otherwise than was known. Those of versions that are in force stand.
create table statement_breaks (
    file_id bigint not null,
    line_id text   collate "C" not null,
    -- vanished: the line is not there any more. changed: it is another one under the same key.
    kind    text   collate "C" not null,
    detail  text   not null,

    constraint statement_breaks_pkey primary key (file_id, line_id),
    constraint statement_breaks_kind check (kind in ('vanished', 'changed'))
);

-- How far the lines were booked, and as what. The log knows it as well, and is the truth: a line
-- without a row here is booked again, which changes nothing.
create table statement_bookings (
    line_id   text        collate "C" not null,
    purpose   text        collate "C" not null,
    item      text        collate "C",
    attempt   int,
    amount    numeric     not null,
    booked_at timestamptz not null default now(),

    constraint statement_bookings_pkey primary key (line_id)
);
-- What was booked for an attempt already: one line pays it, and no second one.
create index statement_bookings_item on statement_bookings (item) where item is not null;
-- What nobody could explain yet.
create index statement_bookings_unknown on statement_bookings (booked_at)
    where purpose = 'unknown';

create trigger statement_files_append_only before update or delete on statement_files
    for each row execute function refuse_change();
create trigger statement_files_no_truncate before truncate on statement_files
    for each statement execute function refuse_change();
create trigger statement_lines_append_only before update or delete on statement_lines
    for each row execute function refuse_change();
create trigger statement_lines_no_truncate before truncate on statement_lines
    for each statement execute function refuse_change();
create trigger statement_breaks_append_only before update or delete on statement_breaks
    for each row execute function refuse_change();
create trigger statement_breaks_no_truncate before truncate on statement_breaks
    for each statement execute function refuse_change();
alter table statement_files enable always trigger statement_files_append_only;
alter table statement_files enable always trigger statement_files_no_truncate;
alter table statement_lines enable always trigger statement_lines_append_only;
alter table statement_lines enable always trigger statement_lines_no_truncate;
alter table statement_breaks enable always trigger statement_breaks_append_only;
alter table statement_breaks enable always trigger statement_breaks_no_truncate;

grant select, insert on statement_files, statement_lines, statement_breaks to bahi_app;
grant select, insert, delete on statement_narrations to bahi_app;
grant select, insert, update on statement_bookings to bahi_app;
