{% snapshot orders_history %}

{{
    config(
        unique_key='order_id',
        strategy='check',
        check_cols=['status']
    )
}}

select
    order_id,
    customer_id,
    case when order_id = 103 and {{ var('round') }} > 1 then 'refunded' else status end as status
from {{ ref('stg_orders') }}

{% endsnapshot %}
