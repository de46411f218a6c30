select id, full_name
from {{ source('svp', 'labors') }}
where created_at < '{{ var('cutover') }}'
