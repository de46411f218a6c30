{{
    config(
        indexes=[
            {'columns': ['customer_id'], 'unique': true},
            {'columns': ['country_code', 'last_name'], 'type': 'btree'}
        ],
        meta={'key_column': 'customer_id'},
        group='sales',
        access='public'
    )
}}

with orders as (
    select * from {{ ref('orders') }}
),

per_customer as (
    select
        customer_id,
        min(ordered_at) as first_order_at,
        max(ordered_at) as latest_order_at,
        count(*) as orders,
        sum(total_amount) as lifetime_value
    from orders
    group by customer_id
)

select
    c.customer_id,
    c.first_name,
    c.last_name,
    c.country_code,
    p.first_order_at,
    p.latest_order_at,
    coalesce(p.orders, 0) as orders,
    coalesce(p.lifetime_value, 0) as lifetime_value
from {{ ref('stg_customers') }} as c
left join per_customer as p using (customer_id)
