select
    customer_id,
    {{ dbt_utils.generate_surrogate_key(['customer_id', 'country_code', 'score']) }} as customer_key,
    {{ dbt_utils.generate_surrogate_key(['country_code']) }} as country_key,
    {{ dbt.hash('last_name') }} as name_hash
from {{ ref('stg_customers') }}
