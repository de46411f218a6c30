-- name: begin
begin transaction read only

-- name: everything
select *
from {{ relation }}

-- name: declare
declare unimig_show no scroll cursor for

-- name: fetch
fetch {{ limit }} from unimig_show

-- name: fetch_all
fetch all from unimig_show
