select * from {{ ref('orders') }} join {{ ref('all_orders') }} using (id)
