-- One row an order that has a customer.
{{ config(unique_key='id') }}
select
    orders.id,
    customer.id as customer_id,
    status.label::app.purchase_status as status,
    orders.total as amount,
    orders.created_at as ordered_at
from {{ source('shop', 'orders') }} as orders
join {{ ref('customer') }} as customer on customer.id = orders.customer_id
join {{ ref('order_statuses') }} as status on status.code = orders.status
