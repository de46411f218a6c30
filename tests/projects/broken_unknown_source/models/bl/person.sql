select id, full_name
from {{ source('svp', 'labours') }}
