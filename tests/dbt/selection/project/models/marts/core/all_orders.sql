{{ config(schema='wide', alias='orders_all') }}
select id from {{ ref('orders') }} union all select id from {{ ref('stg_crm_orders') }}
