{# Where a relation goes. A project's macros of these names take their place. #}

{% macro generate_schema_name(custom_schema_name=none, node=none) -%}
    {{ return(adapter.dispatch('generate_schema_name', 'dbt')(custom_schema_name, node)) }}
{%- endmacro %}

{% macro default__generate_schema_name(custom_schema_name, node) -%}
    {{ target.schema if custom_schema_name is none else target.schema ~ '_' ~ custom_schema_name | trim }}
{%- endmacro %}

{% macro generate_schema_name_for_env(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if target.name == 'prod' and custom_schema_name is not none else target.schema }}
{%- endmacro %}

{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
    {{ return(adapter.dispatch('generate_alias_name', 'dbt')(custom_alias_name, node)) }}
{%- endmacro %}

{% macro default__generate_alias_name(custom_alias_name, node) -%}
    {{ custom_alias_name | trim if custom_alias_name else node.name }}
{%- endmacro %}

{% macro generate_database_name(custom_database_name=none, node=none) -%}
    {{ return(adapter.dispatch('generate_database_name', 'dbt')(custom_database_name, node)) }}
{%- endmacro %}

{% macro default__generate_database_name(custom_database_name, node) -%}
    {{ target.database if custom_database_name is none else custom_database_name | trim }}
{%- endmacro %}
