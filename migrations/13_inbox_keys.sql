-- What makes personal data forgettable: keys of persons that can be thrown away, and bodies of the
-- inbox that are sealed under them.

-- The data keys of subjects, whoever data is about: random, and wrapped under a key that follows
-- from the installation's secret, so that no copy of the database opens anything. In the ledger's
-- database.
create table subject_keys (
    subject    text        collate "C" not null,
    -- Nothing once the subject was erased. The row stays: what comes in about it later must not be
    -- kept under a new key.
    wrapped    bytea,
    created_at timestamptz not null default now(),
    erased_at  timestamptz,

    constraint subject_keys_pkey primary key (subject),
    constraint subject_keys_erased check ((wrapped is null) = (erased_at is not null)),
    constraint subject_keys_well_formed check (length(subject) between 1 and 64)
);

-- A key is what it was made or it is gone: nobody puts another one in its place, and nobody who was
-- forgotten gets one again.
create function refuse_another_key() returns trigger language plpgsql as $refuse$
begin
    if new.wrapped is not null or old.erased_at is not null then
        raise exception 'the key of a subject is erased or it stays'
            using errcode = 'restrict_violation';
    end if;
    return new;
end
$refuse$;
create trigger subject_keys_only_erased before update on subject_keys
    for each row execute function refuse_another_key();
create trigger subject_keys_stay before delete on subject_keys
    for each row execute function refuse_change();
create trigger subject_keys_no_truncate before truncate on subject_keys
    for each statement execute function refuse_change();
alter table subject_keys enable always trigger subject_keys_only_erased;
alter table subject_keys enable always trigger subject_keys_stay;
alter table subject_keys enable always trigger subject_keys_no_truncate;

grant select, insert on subject_keys to bahi_app;
grant update (wrapped, erased_at) on subject_keys to bahi_app;

-- Bodies are sealed, each under a data key of its own, before they are stored. Below this, in the
-- inbox's database, wherever that is.
--
-- The key of a body is wrapped under the installation's until somebody knows whose the body is, and
-- then under that subject's: from then on it opens while the subject has a key. In the row of the
-- body and not beside it, so that an intake writes no row more, and so that none outlives the
-- other. What came before this has no key and stands as it came.
alter table inbox_bodies
    add column key     bytea,
    add column subject text collate "C",
    add constraint inbox_bodies_subject_well_formed check (length(subject) between 1 and 64);

-- What is to go with a subject.
create index inbox_bodies_subject on inbox_bodies (subject) where subject is not null;
-- What belongs to nobody yet, to be looked at again after a crash.
create index inbox_bodies_of_nobody on inbox_bodies (delivery_id) where subject is null;

-- The bytes are never edited, as before; whose they are is said once.
drop trigger inbox_bodies_never_edited on inbox_bodies;
create trigger inbox_bodies_never_edited before update of delivery_id, body_sha256, body
    on inbox_bodies for each row execute function refuse_change();
create trigger inbox_bodies_subject_stays before update of key, subject on inbox_bodies
    for each row when (old.subject is not null) execute function refuse_change();
alter table inbox_bodies enable always trigger inbox_bodies_never_edited;
alter table inbox_bodies enable always trigger inbox_bodies_subject_stays;

grant update (key, subject) on inbox_bodies to bahi_app;
