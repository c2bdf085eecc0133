-- Who may call the API: principals and their keys.
--
-- Not part of the log: keys come and go, and a lost key must be revocable without a trace of its
-- secret anywhere. The log names principals only, so keys rotate and principals stay.

create table principals (
    name       text        not null,
    created_at timestamptz not null default now(),

    constraint principals_pkey primary key (name),
    -- The same bounds as the principal in an event's metadata.
    constraint principals_name check (name ~ '^[!-~]{1,64}$')
);

create table api_keys (
    id            text        not null,
    principal     text        not null,
    -- What the key is for, in the words of the one who made it.
    label         text        not null,
    -- SHA-256 of the whole key. The key has 256 random bits, so no slow hash is needed.
    secret_sha256 bytea       not null,
    scopes        text[]      not null,
    created_at    timestamptz not null default now(),
    revoked_at    timestamptz,
    last_used_at  timestamptz,

    constraint api_keys_pkey primary key (id),
    constraint api_keys_principal_fkey foreign key (principal) references principals (name),
    -- Two keys with one secret would be a broken random source: better no key than that.
    constraint api_keys_secret_key unique (secret_sha256),
    constraint api_keys_secret_length check (length(secret_sha256) = 32),
    constraint api_keys_label check (length(label) between 1 and 100)
);
-- The processes reload the keys that are in force, and nothing else, every few seconds.
create index api_keys_in_force on api_keys (id) where revoked_at is null;

-- No delete: a revoked key stays as the record of who could act until when.
grant select, insert on principals to bahi_app;
grant select, insert on api_keys to bahi_app;
grant update (revoked_at, last_used_at) on api_keys to bahi_app;
