{# Fails with each range that overlaps the next of its group, or that is apart from it where that is not allowed. #}

{% test mutually_exclusive_ranges(model, lower_bound_column, upper_bound_column, partition_by=None, gaps='allowed', zero_length_range_allowed=False) -%}
    {{ return(adapter.dispatch('test_mutually_exclusive_ranges', 'dbt_utils')(model, lower_bound_column, upper_bound_column, partition_by, gaps, zero_length_range_allowed)) }}
{%- endtest %}

{% macro default__test_mutually_exclusive_ranges(model, lower_bound_column, upper_bound_column, partition_by, gaps, zero_length_range_allowed) -%}
    {%- if gaps not in ('allowed', 'not_allowed', 'required') -%}
        {{ exceptions.raise_compiler_error("mutually_exclusive_ranges: gaps is one of allowed, not_allowed, required, and not " ~ gaps) }}
    {%- endif -%}
    {%- set meets = {'not_allowed': '=', 'allowed': '<=', 'required': '<'}[gaps] -%}
    {%- set partition = 'partition by ' ~ partition_by if partition_by else '' %}
    with ranges as (
        select
            {{ partition_by ~ ' as partition_by_col,' if partition_by }}
            {{ lower_bound_column }} as lower_bound,
            {{ upper_bound_column }} as upper_bound,
            lead({{ lower_bound_column }}) over (
                {{ partition }} order by {{ lower_bound_column }}, {{ upper_bound_column }}
            ) as next_lower_bound,
            row_number() over (
                {{ partition }} order by {{ lower_bound_column }} desc, {{ upper_bound_column }} desc
            ) = 1 as is_last_record
        from {{ model }}
    )
    select *
    from ranges
    where not coalesce(lower_bound {{ '<=' if zero_length_range_allowed else '<' }} upper_bound, false)
        or not coalesce(upper_bound {{ meets }} next_lower_bound, is_last_record, false)
{%- endmacro %}
