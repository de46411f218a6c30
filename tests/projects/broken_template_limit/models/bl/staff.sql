{% set rows = [] %}
{% do rows.append(rows) %}
select id from {{ source('svp', 'labors') }}
