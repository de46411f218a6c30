{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='customer_id',
        merge_update_columns=['orders']
    )
}}

select
    customer_id,
    count(*) as orders,
    max(ordered_at) as latest_order_at
from {{ ref('stg_orders') }}
group by customer_id
