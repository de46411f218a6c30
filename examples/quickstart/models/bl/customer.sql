-- One row a customer. The application writes "remark" itself; this SELECT does not give it, so it is left alone.
{{ config(unique_key='id') }}
select
    customer.id,
    btrim(customer.full_name) as name,
    nullif(lower(btrim(customer.email)), '') as email,
    country.name as country,
    customer.created_at as registered_at
from {{ source('shop', 'customers') }} as customer
left join {{ source('shop', 'countries') }} as country on country.code = customer.country_code
