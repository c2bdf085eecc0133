-- People, and how they prove who they are.
--
-- Not part of the log: all of this is personal data or belongs to it, and what is in the log stays
-- for ever. The log has the id of a person, which says nothing when the rows here are gone.

-- That there is a person, and what is decided about them. Stays after an erasure, without anything
-- that tells who it was, so that an id that stands in the log never gets another meaning.
create table people (
    id                uuid        not null,
    -- What others find them by. After an erasure nobody's: the id keeps its place instead.
    handle            text        collate "C",
    status            text        collate "C" not null default 'active',
    -- HMAC-SHA-256 of the address and of the number, by a key that is not in the database: they can
    -- be found without standing here, and a copy of the table cannot be searched for guesses.
    email_hash        bytea,
    phone_hash        bytea,
    email_verified_at timestamptz,
    phone_verified_at timestamptz,
    -- When their papers were seen.
    kyc_at            timestamptz,
    created_at        timestamptz not null,
    -- When their wallet was known to be in the ledger, and the tier it was put on last.
    wallet_opened_at  timestamptz,
    wallet_tier       text        collate "C",
    closed_at         timestamptz,
    erased_at         timestamptz,

    constraint people_pkey primary key (id),
    -- Two who sign up with one handle at once: one gets it, the other an answer.
    constraint people_handle_key unique (handle),
    constraint people_email_key unique (email_hash),
    constraint people_handle check (handle ~ '^[a-z][a-z0-9_]{2,19}$'),
    -- `restricted`: closed by its owner; kept, read by nobody but who must, until it is erased.
    constraint people_status check (
        status in ('active', 'restricted', 'erased')
        and (status = 'erased') = (erased_at is not null)
        and (status = 'active') = (closed_at is null)
        and (status = 'erased') = (handle is null)
        and (status <> 'erased' or (email_hash is null and phone_hash is null))
    ),
    constraint people_verified check (
        (email_verified_at is null or email_hash is not null)
        and (phone_verified_at is null or phone_hash is not null)
    ),
    constraint people_hashes check (length(email_hash) = 32 and length(phone_hash) = 32)
);
-- A number that was proved leads to one person. Before that it leads to nobody, so that nobody can
-- keep it from its owner by writing it down first.
create unique index people_phone_key on people (phone_hash) where phone_verified_at is not null;
-- What a start finishes, and what the retention ends: few rows each.
create index people_unopened on people (id) where wallet_opened_at is null and status = 'active';
create index people_to_erase on people (closed_at) where status = 'restricted';

-- The only place of names, addresses and numbers, each sealed by the person's own key. Apart from
-- the row above, so that it is erased and not emptied.
create table person_details (
    person_id uuid  not null,
    field     text  collate "C" not null,
    sealed    bytea not null,

    constraint person_details_pkey primary key (person_id, field),
    constraint person_details_person_fkey foreign key (person_id) references people (id),
    constraint person_details_field check (field in ('name', 'email', 'phone'))
);

-- Passwords, as argon2id in the PHC form. A person who logs in elsewhere has no row.
create table credentials (
    person_id  uuid        not null,
    phc        text        not null,
    changed_at timestamptz not null,

    constraint credentials_pkey primary key (person_id),
    constraint credentials_person_fkey foreign key (person_id) references people (id),
    constraint credentials_phc check (phc like '$argon2id$%' and length(phc) <= 255)
);

-- Who is signed in. A session that ends is a row that goes: there is no state in between that some
-- process could read as alive.
create table sessions (
    id                 uuid        not null,
    person_id          uuid        not null,
    -- SHA-256 of the token in the cookie. It has 256 random bits, so no slow hash is needed.
    token_sha256       bytea       not null,
    -- What the browser calls itself, cut short: to tell one's sessions apart.
    agent              text        not null,
    created_at         timestamptz not null,
    -- Give or take a minute: a request must not cost a write.
    seen_at            timestamptz not null,
    -- When the password was given last.
    reauthenticated_at timestamptz not null,

    constraint sessions_pkey primary key (id),
    constraint sessions_person_fkey foreign key (person_id) references people (id),
    constraint sessions_token_key unique (token_sha256),
    constraint sessions_token check (length(token_sha256) = 32),
    constraint sessions_agent check (length(agent) <= 100)
);
create index sessions_person on sessions (person_id);
-- What has ended by itself is swept from this end.
create index sessions_seen on sessions (seen_at);

-- Codes and links that prove an address or a number, or that let a password be set anew. One of a
-- kind per person: a new one ends the one before.
create table person_codes (
    person_id   uuid        not null,
    purpose     text        collate "C" not null,
    -- HMAC of the six digits with the person and the purpose; a million guesses are nothing without
    -- the key.
    code_hash   bytea,
    -- SHA-256 of what stands in the link; 256 random bits.
    link_sha256 bytea,
    -- What it was sent to. Proves nothing any more once the person has another address.
    target_hash bytea       not null,
    created_at  timestamptz not null,
    expires_at  timestamptz not null,
    attempts    smallint    not null default 0,

    constraint person_codes_pkey primary key (person_id, purpose),
    constraint person_codes_person_fkey foreign key (person_id) references people (id),
    constraint person_codes_link_key unique (link_sha256),
    constraint person_codes_purpose check (purpose in ('email', 'phone', 'reset')),
    constraint person_codes_one check (code_hash is not null or link_sha256 is not null),
    constraint person_codes_attempts check (attempts >= 0)
);

-- How fast something may be tried, shared by all processes. One row per thing: `full_at` is when
-- its allowance is whole again (the generic cell rate algorithm), so that a row in the past is the
-- same as no row, and nobody is ever locked out for good.
create table throttles (
    -- HMAC of what is counted: an address, an account.
    subject bytea       not null,
    full_at timestamptz not null,

    constraint throttles_pkey primary key (subject),
    constraint throttles_subject check (length(subject) = 32)
);
create index throttles_past on throttles (full_at);

grant select, insert on people, person_details, credentials, sessions, person_codes, throttles
    to bahi_app;
grant update (handle, status, email_hash, phone_hash, email_verified_at, phone_verified_at, kyc_at,
    wallet_opened_at, wallet_tier, closed_at, erased_at) on people to bahi_app;
grant update (sealed), delete on person_details to bahi_app;
grant update (phc, changed_at), delete on credentials to bahi_app;
grant update (token_sha256, seen_at, reauthenticated_at), delete on sessions to bahi_app;
grant update (code_hash, link_sha256, target_hash, created_at, expires_at, attempts), delete
    on person_codes to bahi_app;
grant update (full_at), delete on throttles to bahi_app;
