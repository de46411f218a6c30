{# Trimmed, and NULL when nothing is left. #}
{% macro clean_text(column) -%}
nullif(btrim({{ column }}, E' \t\r\n'), '')
{%- endmacro %}

{# Lower case, and NULL when it is no address. #}
{% macro clean_email(column) -%}
case when {{ column }} like '%_@_%._%' then lower(btrim({{ column }}, E' \t\r\n')) end
{%- endmacro %}

{# A code as it is written in the mapping seeds. #}
{% macro clean_code(column) -%}
lower(btrim({{ column }}))
{%- endmacro %}
