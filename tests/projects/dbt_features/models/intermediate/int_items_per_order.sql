{{ config(materialized='ephemeral') }}

{# An ephemeral model that stands on another, and brings a CTE of its own. #}
with items as (
    select * from {{ ref('stg_items') }}
)

select
    order_id,
    count(*) as items,
    sum(quantity * price) as items_amount,
    {{ dbt.listagg('product', "', '", 'order by product') }} as products
from items
group by order_id
