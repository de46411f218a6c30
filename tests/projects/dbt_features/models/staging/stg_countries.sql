{{- config(materialized='ephemeral') -}}
select code as country_code, name as country, dialling
from {{ ref('country_codes') }}
