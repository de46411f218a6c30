{{ config(severity='warn') }}

select o.order_id
from {{ ref('stg_orders') }} as o
left join {{ ref('stg_items') }} as i using (order_id)
where i.item_id is null
