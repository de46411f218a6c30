with united as (
    {{ dbt_utils.union_relations(
        relations=[ref('stg_payments'), ref('int_payments_pivoted')],
        column_override={'order_id': 'bigint'},
        exclude=['total_amount'],
        source_column_name=none
    ) }}
)

select * from united
