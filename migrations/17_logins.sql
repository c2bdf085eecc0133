-- Logins by other providers, and the tokens that people give to frontends of others.
--
-- No token of a provider is kept: what it says of a person is read once, at the login. Of our own
-- secrets only hashes are here; each has 256 random bits, so SHA-256 is enough.

-- Who comes by which account at which provider. Never by an e-mail address: addresses change hands.
create table login_identities (
    -- The provider, by what it calls itself; and what it calls the person, for ever.
    issuer     text        collate "C" not null,
    subject    text        collate "C" not null,
    -- The provider's name in the configuration, for showing.
    provider   text        collate "C" not null,
    person_id  uuid        not null,
    created_at timestamptz not null,

    -- An account there leads to one person here.
    constraint login_identities_pkey primary key (issuer, subject),
    -- One account of a provider is enough, and makes "Google: linked" a plain statement.
    constraint login_identities_one_key unique (person_id, issuer),
    constraint login_identities_person_fkey foreign key (person_id) references people (id),
    constraint login_identities_lengths check (
        length(issuer) between 1 and 500 and length(subject) between 1 and 255
        and length(provider) between 1 and 32
    )
);

-- Logins under way: a browser was sent to a provider and is not back. Ten minutes each.
create table login_attempts (
    -- SHA-256 of the state. Taking the row is using it: it works once.
    state_sha256   bytea       not null,
    -- SHA-256 of the cookie of the browser that was sent. Another one's state is nobody's.
    browser_sha256 bytea       not null,
    -- Who may answer. Another provider's answer is an attack.
    provider       text        collate "C" not null,
    -- A path of ours.
    return_to      text        not null,
    -- Whose login the account is to be, if somebody who is signed in asked for that.
    person_id      uuid,
    expires_at     timestamptz not null,

    constraint login_attempts_pkey primary key (state_sha256),
    constraint login_attempts_person_fkey foreign key (person_id) references people (id),
    constraint login_attempts_hashes check (
        length(state_sha256) = 32 and length(browser_sha256) = 32
    ),
    constraint login_attempts_return check (length(return_to) <= 2000)
);
-- What was given up is swept from this end.
create index login_attempts_expiry on login_attempts (expires_at);

-- Logins that were proved and lead to nobody yet: a password or a handle is still to be given. One
-- per browser. What the provider said is sealed with a key that only the browser's cookie has.
create table login_proofs (
    browser_sha256 bytea       not null,
    sealed         bytea       not null,
    expires_at     timestamptz not null,

    constraint login_proofs_pkey primary key (browser_sha256),
    constraint login_proofs_hash check (length(browser_sha256) = 32)
);
create index login_proofs_expiry on login_proofs (expires_at);

-- Frontends that people may let in: registered by the operator, with where they are.
create table oauth_clients (
    id            text        collate "C" not null,
    name          text        not null,
    -- Where a browser may be sent back to: these addresses, to the letter.
    redirect_uris text[]      not null,
    -- Which origins may call the API from a browser.
    origins       text[]      not null,
    created_at    timestamptz not null,
    revoked_at    timestamptz,

    constraint oauth_clients_pkey primary key (id),
    constraint oauth_clients_some check (cardinality(redirect_uris) between 1 and 20),
    constraint oauth_clients_origins check (cardinality(origins) <= 20)
);

-- What a person let a frontend do, once: the family of the tokens that came of it. A secret of it
-- that is used twice ends the whole family.
create table oauth_grants (
    id         uuid        not null,
    client_id  text        collate "C" not null,
    person_id  uuid        not null,
    scopes     text[]      not null,
    created_at timestamptz not null,
    -- No refreshing goes past this.
    expires_at timestamptz not null,
    revoked_at timestamptz,

    constraint oauth_grants_pkey primary key (id),
    constraint oauth_grants_client_fkey foreign key (client_id) references oauth_clients (id),
    constraint oauth_grants_person_fkey foreign key (person_id) references people (id),
    constraint oauth_grants_some check (cardinality(scopes) > 0)
);
create index oauth_grants_person on oauth_grants (person_id);
create index oauth_grants_expiry on oauth_grants (expires_at);

-- Codes, access tokens and refresh tokens. A used one stays until it would have ended by itself: it
-- is how a second use is seen.
create table oauth_secrets (
    sha256       bytea       not null,
    kind         text        collate "C" not null,
    grant_id     uuid        not null,
    -- Of a code: where it was sent, and what its verifier must hash to.
    redirect_uri text,
    challenge    text,
    expires_at   timestamptz not null,
    used_at      timestamptz,

    constraint oauth_secrets_pkey primary key (sha256),
    constraint oauth_secrets_grant_fkey foreign key (grant_id) references oauth_grants (id)
        on delete cascade,
    constraint oauth_secrets_kind check (
        kind in ('code', 'access', 'refresh')
        and (kind = 'code') = (redirect_uri is not null)
        and (kind = 'code') = (challenge is not null)
    ),
    constraint oauth_secrets_hash check (length(sha256) = 32)
);
create index oauth_secrets_grant on oauth_secrets (grant_id);
create index oauth_secrets_expiry on oauth_secrets (expires_at);

grant select, insert, delete on login_identities, login_attempts, login_proofs, oauth_grants,
    oauth_secrets to bahi_app;
grant update (sealed, expires_at) on login_proofs to bahi_app;
grant select, insert on oauth_clients to bahi_app;
grant update (revoked_at) on oauth_clients, oauth_grants to bahi_app;
grant update (used_at) on oauth_secrets to bahi_app;
