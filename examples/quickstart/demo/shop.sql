-- The source system: a web shop with 1,000 customers and 3,000 orders. Its application would own these tables.
\set ON_ERROR_STOP on
begin;

create table countries (
    code character(2) primary key,
    name text not null
);

create table customers (
    id bigint generated always as identity primary key,
    full_name text not null,
    email text,
    country_code character(2),
    created_at timestamptz not null,
    updated_at timestamptz not null
);

create table orders (
    id bigint generated always as identity primary key,
    customer_id bigint not null,
    status integer not null,
    total numeric(12, 2) not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

insert into countries (code, name)
values ('EG', 'Egypt'), ('IN', 'India'), ('JO', 'Jordan'), ('SA', 'Saudi Arabia');

-- Blank emails, capitals and spaces, as people type them.
insert into customers (full_name, email, country_code, created_at, updated_at)
select
    (array['Amal', 'Bilal', 'Chandra', 'Dalia', 'Emad'])[1 + number % 5] || ' '
        || (array['Haddad', 'Iyer', 'Nasser', 'Qasim'])[1 + number % 4] || ' ',
    case when number % 7 = 0 then '' else ' Customer' || number || '@Example.com' end,
    (array['EG', 'IN', 'JO', 'SA', null])[1 + number % 5],
    timestamptz '2024-01-01 08:00+00' + number * interval '1 hour',
    timestamptz '2024-01-01 08:00+00' + number * interval '1 hour'
from generate_series(1, 1000) as number;

-- Customers 1001 to 1010 were removed by hand; their orders are still there.
insert into orders (customer_id, status, total, created_at, updated_at)
select
    1 + number % 1010,
    (array[0, 1, 2, 9])[1 + number % 4],
    (number * 37 % 50000) / 100.0,
    timestamptz '2024-06-01 08:00+00' + number * interval '1 hour',
    timestamptz '2024-06-01 08:00+00' + number * interval '1 hour'
from generate_series(1, 3000) as number;

commit;
