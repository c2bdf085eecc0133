-- What the programs of shops asked for, as their developers look it up: by the request's id, or the
-- newest first. No bodies, no addresses with what stands behind the question mark, no words of the
-- answers. A row is written after its request was answered and is lost if the process dies before;
-- rows are for people, and nothing rests on them. Old rows are deleted, and those beyond the newest
-- of each shop.
create table api_requests (
    number     bigint      generated always as identity,
    -- Whose key it was.
    merchant   uuid        not null,
    request_id uuid        not null,
    at         timestamptz not null,
    method     text        collate "C" not null,
    -- The address as it stands in the API's description: with {id} and not with an id.
    route      text        collate "C" not null,
    status     smallint    not null,
    -- The problem's code, if it was answered with one.
    code       text        collate "C",
    key_id     text        collate "C" not null,
    micros     bigint      not null,

    constraint api_requests_pkey primary key (number),
    constraint api_requests_micros check (micros >= 0)
);
-- A shop's list, newest first; and what is beyond its bound.
create index api_requests_merchant on api_requests (merchant, number);
-- Looked up by the id that an answer named.
create index api_requests_request on api_requests (merchant, request_id);
-- What is too old.
create index api_requests_at on api_requests (at);

grant select, insert, delete on api_requests to bahi_app;
