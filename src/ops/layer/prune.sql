-- name: live_batches
select distinct _batch_id
from {{ relation }}
where _deleted_at is null
