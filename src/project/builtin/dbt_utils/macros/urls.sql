{# Parts of a web address. #}

{% macro get_url_parameter(field, url_parameter) -%}
    {{ return(adapter.dispatch('get_url_parameter', 'dbt_utils')(field, url_parameter)) }}
{%- endmacro %}

{% macro default__get_url_parameter(field, url_parameter) -%}
    nullif(split_part(split_part({{ field }}, '{{ url_parameter }}=', 2), '&', 1), '')
{%- endmacro %}

{% macro get_url_host(field) -%}
    {{ return(adapter.dispatch('get_url_host', 'dbt_utils')(field)) }}
{%- endmacro %}

{% macro default__get_url_host(field) -%}
    cast(
        split_part(
            split_part(
                replace(replace(replace({{ field }}, 'android-app://', ''), 'http://', ''), 'https://', ''),
                '/', 1
            ),
            '?', 1
        ) as text
    )
{%- endmacro %}

{% macro get_url_path(field) -%}
    {{ return(adapter.dispatch('get_url_path', 'dbt_utils')(field)) }}
{%- endmacro %}

{% macro default__get_url_path(field) -%}
    {%- set bare = "replace(replace(" ~ field ~ ", 'http://', ''), 'https://', '')" -%}
    cast(
        split_part(
            case
                when position('/' in {{ bare }}) = 0 then ''
                else right({{ bare }}, length({{ bare }}) - position('/' in {{ bare }}))
            end,
            '?', 1
        ) as text
    )
{%- endmacro %}
