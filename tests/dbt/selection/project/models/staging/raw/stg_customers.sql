{{ config(tags=['pii']) }}
select id from {{ source('raw', 'customers') }} union all select id from {{ ref('countries') }}
