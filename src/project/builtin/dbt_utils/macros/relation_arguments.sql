{# Whether an argument is a relation that the server knows. #}

{% macro _is_relation(given, macro_name) -%}
    {%- if given is string or given is not mapping and given.identifier is not defined -%}
        {{ exceptions.raise_compiler_error(
            "macro dbt_utils." ~ macro_name ~ " expects a relation, as ref() or source() gives it, and not: " ~ given
        ) }}
    {%- endif -%}
{%- endmacro %}

{% macro _is_ephemeral(given, macro_name) -%}
    {%- if given.is_cte -%}
        {{ exceptions.raise_compiler_error(
            "macro dbt_utils." ~ macro_name ~ " asks the server for columns, and ephemeral model "
            ~ given.identifier ~ " is not there: make it a view or a table"
        ) }}
    {%- endif -%}
{%- endmacro %}
