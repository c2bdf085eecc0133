-- What was said to banks about transfers, and what they answered: each call with its bytes, for
-- people who have to find out what became of one. Nothing rests on it: the queue has its own notes
-- (`bank_questions`), and what is decided is in the log.
--
-- The bytes name people. Each exchange is sealed under a data key of its own, and that key under
-- the data key of whom the transfer is about (`subject_keys`), or under the installation's where it
-- is about nobody: a move between accounts of our own. Who is forgotten takes the bytes along.
create table bank_exchanges (
    -- Of the moment that it was written down: grows at the right edge.
    id            uuid        not null,
    bank          text        collate "C" not null,
    -- What the bank knows the transfer by.
    reference     text        collate "C" not null,
    -- The attempt of a withdrawal; nothing for a move of our own.
    withdrawal_id uuid,
    attempt       int,
    kind          text        collate "C" not null,
    started_at    timestamptz not null,
    took_ms       int         not null,
    -- Nothing if no answer came.
    http_status   int,
    -- Why there is no answer, or none that was read to its end.
    failure       text        collate "C",
    subject       text        collate "C",
    -- Nothing if the subject was erased before this was written.
    key           bytea,
    request       bytea,
    answer        bytea,
    -- How many bytes there were; what is kept is the beginning of them.
    request_bytes int         not null,
    answer_bytes  int         not null,

    constraint bank_exchanges_pkey primary key (id),
    constraint bank_exchanges_well_formed check (
        kind in ('submit', 'enquiry') and took_ms >= 0
        and failure in ('timed_out', 'no_connection', 'redirect', 'too_large', 'not_sent')
        and (withdrawal_id is null) = (attempt is null)
        and request_bytes >= 0 and answer_bytes >= 0
    )
);
alter table bank_exchanges alter column request set storage external;
alter table bank_exchanges alter column answer set storage external;

-- What was said about a withdrawal, in order.
create index bank_exchanges_withdrawal on bank_exchanges (withdrawal_id, started_at)
    where withdrawal_id is not null;
-- What is old enough to be forgotten.
create index bank_exchanges_started_at on bank_exchanges (started_at);

-- An exchange is what it was, or it is gone.
create trigger bank_exchanges_never_edited before update on bank_exchanges
    for each row execute function refuse_change();
alter table bank_exchanges enable always trigger bank_exchanges_never_edited;

grant select, insert, delete on bank_exchanges to bahi_app;
grant select on bank_exchanges to bahi_auditor;
