{% set doubled = namespace(text='visit') %}
{% for i in range(60) %}{% set doubled.text = doubled.text ~ doubled.text %}{% endfor %}
select id, '{{ doubled.text }}' as name
from {{ source('svp', 'labors') }}
