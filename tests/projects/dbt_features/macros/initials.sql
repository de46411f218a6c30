{% macro initials(first, last) -%}
    upper(substr(trim({{ first }}), 1, 1) || substr(trim({{ last }}), 1, 1))
{%- endmacro %}
