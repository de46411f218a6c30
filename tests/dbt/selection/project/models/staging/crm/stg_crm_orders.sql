{{ config(enabled=true) }}
select id from {{ source('crm', 'orders') }}
