with latest as (
    {{ dbt_utils.deduplicate(relation=ref('stg_orders'), partition_by='customer_id', order_by='ordered_at desc') }}
),

items as (select * from {{ ref('stg_items') }}),

one_item as (
    {{ dbt_utils.deduplicate('items', 'order_id', 'price desc, item_id') }}
)

select l.*, o.product as dearest_product
from latest as l
left join one_item as o on o.order_id = l.order_id
