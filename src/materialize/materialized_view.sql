-- name: create
create materialized view {{ view }} as

-- name: define
create temporary view unimig_defined as

-- name: mark
comment on materialized view {{ view }} is {{ mark }}

-- name: drop
drop materialized view {{ view }}

-- name: refresh
refresh materialized view {{ view }}
