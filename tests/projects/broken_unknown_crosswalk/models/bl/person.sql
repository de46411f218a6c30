select x.target_id as id
from {{ xref('person', 'qvp') }} as x
