-- A batch that was asked for with bounds of its own may leave out what the next one must read; one that was loaded again
-- says nothing of the source's present.
alter table unimig.batch add column is_complete boolean not null default true;
alter table unimig.batch add column window_upper timestamptz;
-- The greatest key that the source had, for tables whose rows are only added.
alter table unimig.batch add column greatest_key text;
alter table unimig.batch drop constraint batch_kind_check;
alter table unimig.batch add constraint batch_kind_check
    check (kind in ('full', 'window', 'append', 'ranges', 'keys', 'sample', 'reload'));
