{# Small pieces of text for SQL and for the log. #}

{% macro group_by(n) -%}
    {{ return(adapter.dispatch('group_by', 'dbt_utils')(n)) }}
{%- endmacro %}

{% macro default__group_by(n) -%}
    group by {% for position in range(1, n + 1) %}{{ position }}{{ ', ' if not loop.last }}{% endfor %}
{%- endmacro %}

{% macro slugify(string) -%}
    {%- set lower = string | lower -%}
    {%- set spaced = modules.re.sub('[ -]+', '_', lower) -%}
    {%- set plain = modules.re.sub('[^a-z0-9_]+', '', spaced) -%}
    {{- return(modules.re.sub('^([0-9])', '_\\1', plain)) -}}
{%- endmacro %}

{% macro pretty_time(format='%H:%M:%S') -%}
    {{ return(adapter.dispatch('pretty_time', 'dbt_utils')(format)) }}
{%- endmacro %}

{% macro default__pretty_time(format) -%}
    {{ return(modules.datetime.datetime.now().strftime(format)) }}
{%- endmacro %}

{% macro pretty_log_format(message) -%}
    {{ return(adapter.dispatch('pretty_log_format', 'dbt_utils')(message)) }}
{%- endmacro %}

{% macro default__pretty_log_format(message) -%}
    {{ return(dbt_utils.pretty_time() ~ ' + ' ~ message) }}
{%- endmacro %}

{% macro log_info(message) -%}
    {{ return(adapter.dispatch('log_info', 'dbt_utils')(message)) }}
{%- endmacro %}

{% macro default__log_info(message) -%}
    {{ log(dbt_utils.pretty_log_format(message), info=True) }}
{%- endmacro %}
