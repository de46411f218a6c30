{{ dbt_utils.unpivot(
    ref('int_payments_pivoted'),
    cast_to='numeric',
    exclude=['order_id'],
    remove=['total_amount'],
    field_name='method',
    value_name='amount'
) }}
