select * from {{ ref('rates') }} where rate <= 0
