-- What a bank was told of a move between our own accounts that people had approved, and what it
-- answered. A row is the intent: it is there before the bank is called, once for a move, so that
-- whoever puts it in may call, and nobody calls a second time. None of it moves an account of
-- ours: the lines of the statements do.
create table treasury_orders (
    move_id    uuid        not null,
    ordered_at timestamptz not null,
    -- Which way it was sent; nothing where people make the transfer.
    rail       text        collate "C",
    -- sent: no answer is known. accepted, paid, refused: the bank's word. unknown: it may have been
    -- made. by_hand: people make it.
    status     text        collate "C" not null,
    -- Why it was refused, or is not known.
    code       text        collate "C",
    -- How often the bank was asked about it since.
    asked      integer     not null default 0,

    constraint treasury_orders_pkey primary key (move_id),
    constraint treasury_orders_move_fkey foreign key (move_id) references treasury_moves (id),
    constraint treasury_orders_status check (
        status in ('sent', 'accepted', 'paid', 'refused', 'unknown', 'by_hand')
        and (status = 'by_hand') = (rail is null)
    ),
    constraint treasury_orders_asked check (asked >= 0)
);
-- What has to be asked about.
create index treasury_orders_open on treasury_orders (move_id)
    where status in ('sent', 'accepted', 'unknown');

-- What was approved before there were orders, people were told to make: they may have done it.
insert into treasury_orders (move_id, ordered_at, status)
select id, decided_at, 'by_hand' from treasury_moves where status = 'approved';

grant select, insert on treasury_orders to bahi_app;
grant update (status, code, asked) on treasury_orders to bahi_app;
grant select on treasury_orders to bahi_auditor;
