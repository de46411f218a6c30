-- Both histories are append-only: as many events came out as went in.
with counted as (
    select
        (select count(*) from {{ source('qvp', 'audit_log') }} as entry)
            + (select count(*) from {{ source('svp', 'versions') }} as version) as source_rows,
        (select count(*) from {{ ref('audit_event') }} as event) as target_rows
)

select
    counted.source_rows,
    counted.target_rows
from counted
where counted.source_rows <> counted.target_rows
