{{ config(alias='other_name', schema='extra', meta={'key_column': 'country_code'}, unlogged=true) }}

select country_code, country, dialling from {{ ref('stg_countries') }}
