{{ config(meta={'owner': 'bo', 'nested': {'level': 'deep'}}) }}
select id from {{ ref('revenue_by_month') }} union all select id from {{ ref('rates') }}
