{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='customer_id',
        merge_exclude_columns=['first_seen_in'],
        incremental_predicates=["DBT_INTERNAL_DEST.customer_id > 0"]
    )
}}

select
    customer_id,
    count(*) as orders,
    max(ordered_at) as latest_order_at,
    {{ var('round') }} as first_seen_in
from {{ ref('stg_orders') }}
group by customer_id
