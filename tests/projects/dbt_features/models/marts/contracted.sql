select
    customer_id,
    cast(lifetime_value as numeric(12, 2)) as lifetime_value,
    first_name
from {{ ref('customers') }}
