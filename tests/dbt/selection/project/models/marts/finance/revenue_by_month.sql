{{ config(materialized='view', group='money') }}
select id from {{ ref('revenue') }}
