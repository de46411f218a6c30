select id
from {{ source('svp', 'labors') }}
where {% for a in range(90000) %}{% for b in range(90000) %}({{ a }}, {{ b }}) <> (id, 1) and {% endfor %}{% endfor %} true
