{{ config(materialized='incremental') }}

select order_id, ordered_at, {{ var('round') }} as seen_in
from {{ ref('stg_orders') }}
{% if is_incremental() %}
where ordered_at > (select max(ordered_at) from {{ this }})
{% endif %}
