{# Of several records of one thing: the best record's value, or the next one's where it has none. #}
{% macro first_known(column) -%}
(array_agg({{ column }} order by preference, source_key) filter (where {{ column }} is not null))[1]
{%- endmacro %}
