{# One key out of several columns. #}

{% macro generate_surrogate_key(field_list) -%}
    {{ return(adapter.dispatch('generate_surrogate_key', 'dbt_utils')(field_list)) }}
{%- endmacro %}

{% macro default__generate_surrogate_key(field_list) -%}
    {%- set for_null = '' if var('surrogate_key_treat_nulls_as_empty_strings', False)
        else '_dbt_utils_surrogate_key_null_' -%}
    {%- set parts = [] -%}
    {%- for field in field_list -%}
        {%- do parts.append("coalesce(cast(" ~ field ~ " as " ~ dbt.type_string() ~ "), '" ~ for_null ~ "')") -%}
    {%- endfor -%}
    {{ dbt.hash(parts | join(" || '-' || ")) }}
{%- endmacro %}

{% macro surrogate_key(field_list) -%}
    {{ return(adapter.dispatch('surrogate_key', 'dbt_utils')(field_list)) }}
{%- endmacro %}

{% macro default__surrogate_key(field_list) -%}
    {{ exceptions.raise_compiler_error(
        "dbt_utils.surrogate_key was replaced by dbt_utils.generate_surrogate_key, which tells a null from an empty"
        ~ " text; with the variable surrogate_key_treat_nulls_as_empty_strings: true it gives the old keys"
    ) }}
{%- endmacro %}
