{{ config(materialized='table') }}
select id, full_name from {{ source('svp', 'labors') }}
