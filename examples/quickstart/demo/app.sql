-- The target: tables of the new application, which unimig fills and never creates or drops.
\set ON_ERROR_STOP on
begin;

create schema app;

create type app.purchase_status as enum ('open', 'paid', 'shipped', 'cancelled');

create table app.customer (
    id bigint primary key,
    name text not null,
    email text,
    country text,
    remark text,
    registered_at timestamptz not null
);

create table app.purchase (
    id bigint primary key,
    customer_id bigint not null references app.customer (id),
    status app.purchase_status not null,
    amount numeric(12, 2) not null check (amount >= 0),
    ordered_at timestamptz not null
);

commit;
