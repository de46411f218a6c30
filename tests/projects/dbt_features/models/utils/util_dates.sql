with days as (
    {{ dbt_utils.date_spine('day', "cast('2024-01-30' as date)", "cast('2024-02-03' as date)") }}
),

months as (
    {{ dbt_utils.date_spine(datepart='month', start_date="cast('2023-11-01' as date)", end_date="cast('2024-02-01' as date)") }}
)

select 'day' as part, date_day as began from days
union all
select 'month', date_month from months
