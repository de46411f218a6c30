-- name: create_schema
create schema if not exists {{ schema }}

-- name: create_view
create or replace view {{ view }} as

-- name: mark_view
comment on view {{ view }} is {{ mark }}

-- name: drop_view
drop view {{ view }}
