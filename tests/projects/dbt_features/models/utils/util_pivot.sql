select
    order_id,
    {{ dbt_utils.pivot('method', dbt_utils.get_column_values(ref('stg_payments'), 'method', order_by='method'), then_value='amount') }},
    {{ dbt_utils.pivot('method', ['card', "o'ther"], agg='count', distinct=true, then_value='payment_id', else_value='null', prefix='n ', quote_identifiers=false) }}
from {{ ref('stg_payments') }}
{{ dbt_utils.group_by(1) }}
