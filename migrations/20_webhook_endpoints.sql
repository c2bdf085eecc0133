-- Webhooks out: where they go, what is to be sent, and what became of it.
--
-- The log is the outbox: an endpoint's position says how far of the log has been made into
-- deliveries, and moves in the database transaction that writes them. Nothing here is needed to
-- know anything about money, and all of it but the endpoints could be made again from the log.

create table webhook_endpoints (
    id              uuid        not null,
    -- Who made it: the principal of an API key, or a merchant. Nobody else sees it.
    owner           text        collate "C" not null,
    -- Whose events it gets: null for those of all accounts, or what the accounts' codes begin with.
    account_prefix  text        collate "C",
    url             text        not null,
    description     text        not null,
    -- Names of types. None of them for all, also for those that are still to come.
    event_types     text[]      not null,
    status          text        collate "C" not null default 'enabled',
    -- Why it is disabled: `owner`, `gone` (it answered 410) or `failing` (the schedule is over).
    disabled_reason text        collate "C",
    disabled_at     timestamptz,
    -- Up to here the log has been made into deliveries.
    position        bigint      not null,
    created_at      timestamptz not null,
    idempotency_key text        collate "C" not null,
    fingerprint     bytea       not null,

    constraint webhook_endpoints_pkey primary key (id),
    -- A request that comes again finds what it made. So a deleted one stays, without its secrets.
    constraint webhook_endpoints_key unique (owner, idempotency_key),
    constraint webhook_endpoints_status check (
        status in ('enabled', 'disabled', 'deleted')
        and (status = 'disabled') = (disabled_reason is not null)
        and (status = 'disabled') = (disabled_at is not null)
    ),
    constraint webhook_endpoints_reason check (disabled_reason in ('owner', 'gone', 'failing')),
    constraint webhook_endpoints_lengths check (
        length(owner) between 1 and 255 and length(url) <= 2000 and length(description) <= 200
        and cardinality(event_types) <= 50 and position >= 0 and length(fingerprint) = 32
    )
);
-- Who makes deliveries looks at the enabled ones, by how far they are.
create index webhook_endpoints_behind on webhook_endpoints (position) where status = 'enabled';

-- What deliveries are signed with: a shared secret and a private key, sealed by a key that is in no
-- database. Several while one takes the place of another.
create table webhook_secrets (
    id            uuid        not null,
    endpoint_id   uuid        not null,
    sealed_secret bytea       not null,
    sealed_seed   bytea       not null,
    -- The public half, for whoever verifies.
    public_key    bytea       not null,
    created_at    timestamptz not null,
    -- Null for the one in force. The one before is signed with until then.
    expires_at    timestamptz,

    constraint webhook_secrets_pkey primary key (id),
    constraint webhook_secrets_endpoint_fkey foreign key (endpoint_id)
        references webhook_endpoints (id) on delete cascade,
    constraint webhook_secrets_lengths check (length(public_key) = 32)
);
create index webhook_secrets_endpoint on webhook_secrets (endpoint_id);
-- One is in force, whoever rotates at the same time.
create unique index webhook_secrets_current on webhook_secrets (endpoint_id)
    where expires_at is null;

create table webhook_deliveries (
    id           uuid        not null,
    endpoint_id  uuid        not null,
    -- The receiver's `webhook-id`: follows from the endpoint and the event, so that whatever is
    -- made or sent twice is seen to be the same.
    message_id   text        collate "C" not null,
    event_type   text        collate "C" not null,
    -- What it is about, and where in its life; null for a test.
    object_id    text        collate "C",
    seq          bigint,
    position     bigint,
    -- The bytes that are signed.
    body         bytea       not null,
    state        text        collate "C" not null default 'pending',
    -- How often it was sent, and how far it is in the schedule, which a redelivery begins again.
    attempts     integer     not null default 0,
    tries        integer     not null default 0,
    next_at      timestamptz not null,
    -- Who sends it just now, and how long that is believed; by the database's clock.
    lease        uuid,
    leased_until timestamptz,
    created_at   timestamptz not null,
    ended_at     timestamptz,

    constraint webhook_deliveries_pkey primary key (id),
    constraint webhook_deliveries_endpoint_fkey foreign key (endpoint_id)
        references webhook_endpoints (id) on delete cascade,
    -- However often an event is looked at, it is one delivery.
    constraint webhook_deliveries_message_key unique (endpoint_id, message_id),
    constraint webhook_deliveries_state check (state in ('pending', 'delivered', 'failed')),
    constraint webhook_deliveries_object check (
        (object_id is null) = (seq is null) and (object_id is null) = (position is null)
    ),
    constraint webhook_deliveries_ended check ((state = 'pending') = (ended_at is null))
);
-- What is due, and whether an earlier one of the same object still waits: pending ones only, so
-- both stay small however much was sent.
create index webhook_deliveries_due on webhook_deliveries (endpoint_id, next_at)
    where state = 'pending';
create index webhook_deliveries_order on webhook_deliveries (endpoint_id, object_id, position)
    where state = 'pending';
-- The delivery log of an endpoint, the newest first.
create index webhook_deliveries_log on webhook_deliveries (endpoint_id, id desc);
-- Old ones are swept from this end.
create index webhook_deliveries_ended on webhook_deliveries (ended_at) where ended_at is not null;

-- Each time a delivery was sent, with what was said both ways.
create table webhook_attempts (
    delivery_id      uuid        not null,
    number           integer     not null,
    at               timestamptz not null,
    duration_ms      integer     not null,
    -- What was answered; null if nothing was, and then why.
    status           smallint,
    error            text        collate "C",
    request_headers  jsonb       not null,
    response_headers jsonb       not null,
    response_body    text        not null,

    constraint webhook_attempts_pkey primary key (delivery_id, number),
    constraint webhook_attempts_delivery_fkey foreign key (delivery_id)
        references webhook_deliveries (id) on delete cascade,
    constraint webhook_attempts_answer check ((status is null) = (error is not null))
);

grant select, insert on webhook_endpoints to bahi_app;
grant update (url, description, event_types, status, disabled_reason, disabled_at, position)
    on webhook_endpoints to bahi_app;
grant select, insert, delete on webhook_secrets, webhook_deliveries, webhook_attempts to bahi_app;
grant update (expires_at) on webhook_secrets to bahi_app;
grant update (state, attempts, tries, next_at, lease, leased_until, ended_at)
    on webhook_deliveries to bahi_app;
