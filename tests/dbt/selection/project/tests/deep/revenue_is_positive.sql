{{ config(tags=['slow'], severity='warn') }} select * from {{ ref('revenue') }}
