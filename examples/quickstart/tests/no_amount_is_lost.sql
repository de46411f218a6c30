-- The amounts of every customer are the same on both sides.
with shop as (
    select
        customer_id,
        sum(total) as amount
    from {{ source('shop', 'orders') }}
    group by customer_id
),

app as (
    select
        customer_id,
        sum(amount) as amount
    from {{ ref('purchase') }}
    group by customer_id
)

select
    shop.customer_id,
    shop.amount as in_shop,
    app.amount as in_app
from shop
join {{ ref('customer') }} as customer on customer.id = shop.customer_id
left join app on app.customer_id = shop.customer_id
where app.amount is distinct from shop.amount
