-- What hung on a view that was dropped with what it read, until its model makes it again: grants, owner, options, comments.
create table unimig.set_aside (
    relation text not null,
    place integer not null,
    what text not null,
    restore text not null,
    need text not null,
    set_aside_at timestamptz not null default now(),
    primary key (relation, place)
);
