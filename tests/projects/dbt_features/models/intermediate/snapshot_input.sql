select
    customer_id,
    coalesce(country_code, '??') as country_code,
    case when customer_id = 2 and {{ var('round') }} > 1 then 'Badr the second' else first_name end as first_name,
    case
        when customer_id = 2 and {{ var('round') }} > 1 then timestamp '2024-06-01'
        else timestamp '2024-01-01'
    end as changed_at
from {{ ref('stg_customers') }}
{% if var('round') | int > 1 %}
where customer_id <> 3
{% endif %}
