{{ config(tags=['orders', 'fresh'], meta={'source': 'shop'}) }}

select
    id as order_id,
    customer_id,
    ordered_at,
    {{ dbt.date_trunc('month', 'ordered_at') }} as ordered_month,
    status
from {{ ref('features', 'raw_orders') }}
{% if var('round') | int < 2 %}
where ordered_at < cast('{{ var("cutoff") }}' as timestamp)
{% endif %}
