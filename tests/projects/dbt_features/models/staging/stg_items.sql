select
    id as item_id,
    order_id,
    product,
    quantity,
    price_cents,
    {{ money.cents_to_units('price_cents') }} as price,
    {{ money.cents_to_units('price_cents', 0) }} as price_rounded
from {{ ref('raw_items') }}
