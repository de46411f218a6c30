-- What the shop's application might do in a minute: one customer moves, one order is shipped.
\set ON_ERROR_STOP on
begin;

update customers
set country_code = 'JO',
    updated_at = now()
where id = 11;

update orders
set status = 2,
    updated_at = now()
where id = 28;

commit;
