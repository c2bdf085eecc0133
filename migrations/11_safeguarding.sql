-- Safeguarding certificates: at the close of each bank day, whether customers' money was there.
--
-- A certificate is signed and stays. If a bank corrects a closed day, the day gets another one; the
-- one with the highest number counts.
create table safeguarding_certificates (
    number     bigint      generated always as identity,
    day        date        not null,
    currency   text        collate "C" not null,
    -- Which versions of the day's statements it rests on: the same ones give no second certificate.
    files      text        collate "C" not null,
    -- How far the books were folded that the figures are of.
    position   bigint      not null,
    -- What is signed, byte for byte.
    body       text        collate "C" not null,
    signature  bytea       not null,
    public_key bytea       not null,
    made_at    timestamptz not null default now(),

    constraint safeguarding_certificates_pkey primary key (number),
    -- Two workers that see a day close make one certificate.
    constraint safeguarding_certificates_once unique (day, currency, files),
    constraint safeguarding_certificates_signature check (length(signature) = 64),
    constraint safeguarding_certificates_public_key check (length(public_key) = 32)
);

create trigger safeguarding_certificates_append_only
    before update or delete on safeguarding_certificates
    for each row execute function refuse_change();
create trigger safeguarding_certificates_no_truncate before truncate on safeguarding_certificates
    for each statement execute function refuse_change();
alter table safeguarding_certificates enable always trigger safeguarding_certificates_append_only;
alter table safeguarding_certificates enable always trigger safeguarding_certificates_no_truncate;

grant select, insert on safeguarding_certificates to bahi_app;
