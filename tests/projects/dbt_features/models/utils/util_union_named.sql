select count(*) as counted, count(distinct _dbt_source_relation) as relations
from (
    {{ dbt_utils.union_relations([ref('stg_orders'), ref('stg_items')], include=['order_id'], where='order_id > 101') }}
) as united
