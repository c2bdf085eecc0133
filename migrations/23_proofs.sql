-- Proof over the log: the Merkle tree of its events, and heads of it that were signed.
--
-- All of it follows from the events and from a key that is never in here. It is kept so that a
-- proof is a few reads; `bahi audit verify` makes all of it again and compares.

-- Complete tiles: 256 neighbouring hashes of one level of the tree, each level eight above the one
-- below. They never change, so that the tree is only ever inserted into.
create table proof_tiles (
    number bigint   not null,
    level  smallint not null,
    -- The root over its hashes: one hash of a tile of the next level. Here once more, for the
    -- hashes lie out of line.
    root   bytea    not null,
    hashes bytea    not null,

    -- Also serves "the roots of the tiles from here on" and "how many are there" of a level.
    constraint proof_tiles_pkey primary key (level, number),
    constraint proof_tiles_well_formed
        check (level >= 0 and number >= 0 and length(root) = 32 and length(hashes) = 8192)
);
-- Hashes do not shrink.
alter table proof_tiles alter column hashes set storage external;

-- Signed checkpoints: the size of the tree (which is a position), its root, the note.
create table checkpoints (
    size       bigint      not null,
    made_at    timestamptz not null default now(),
    root       bytea       not null,
    -- The key that signed it, to be found by; who verifies brings a key of his own.
    public_key bytea       not null,
    -- Byte for byte what is signed and the log's signature, without witnesses'.
    note       text        collate "C" not null,

    -- One size has one root: two processes that sign at once make one checkpoint.
    constraint checkpoints_pkey primary key (size),
    constraint checkpoints_well_formed
        check (size > 0 and length(root) = 32 and length(public_key) = 32)
);

-- What witnesses said of them, a line of the note each.
create table checkpoint_cosignatures (
    size    bigint      not null,
    said_at timestamptz not null default now(),
    witness text        collate "C" not null,
    line    text        collate "C" not null,

    -- The witness first: "how far has this one seen the log" is one look at the end of a range.
    constraint checkpoint_cosignatures_pkey primary key (witness, size),
    constraint checkpoint_cosignatures_size foreign key (size) references checkpoints (size)
);
create index checkpoint_cosignatures_size on checkpoint_cosignatures (size);

create trigger proof_tiles_append_only before update or delete on proof_tiles
    for each row execute function refuse_change();
create trigger proof_tiles_no_truncate before truncate on proof_tiles
    for each statement execute function refuse_change();
create trigger checkpoints_append_only before update or delete on checkpoints
    for each row execute function refuse_change();
create trigger checkpoints_no_truncate before truncate on checkpoints
    for each statement execute function refuse_change();
create trigger checkpoint_cosignatures_append_only before update or delete
    on checkpoint_cosignatures for each row execute function refuse_change();
create trigger checkpoint_cosignatures_no_truncate before truncate on checkpoint_cosignatures
    for each statement execute function refuse_change();
alter table proof_tiles enable always trigger proof_tiles_append_only;
alter table proof_tiles enable always trigger proof_tiles_no_truncate;
alter table checkpoints enable always trigger checkpoints_append_only;
alter table checkpoints enable always trigger checkpoints_no_truncate;
alter table checkpoint_cosignatures enable always trigger checkpoint_cosignatures_append_only;
alter table checkpoint_cosignatures enable always trigger checkpoint_cosignatures_no_truncate;

grant select, insert on proof_tiles, checkpoints, checkpoint_cosignatures to bahi_app;
