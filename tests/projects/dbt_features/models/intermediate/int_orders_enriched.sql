select
    o.order_id,
    o.customer_id,
    o.ordered_at,
    o.ordered_month,
    o.status,
    i.items,
    i.items_amount,
    i.products,
    c.country
from {{ ref('stg_orders') }} as o
left join {{ ref('int_items_per_order') }} as i on i.order_id = o.order_id
left join {{ ref('stg_customers') }} as s on s.customer_id = o.customer_id
left join {{ ref('stg_countries') }} as c on c.country_code = s.country_code
