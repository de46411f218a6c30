select
    {{ target_id('svp', 'occupation.id') }} as id,
    coalesce(category.id, 9) as occupation_category_id,
    occupation.code,
    occupation.title_en,
    {{ clean_text('occupation.title_ar') }} as title_ar,
    coalesce(level.target_level, 'unclassified')::unipacc.skill_level as level,
    {{ money('occupation.fee_cents', 'currency.minor_units') }} as fee,
    currency.code as fee_currency,
    coalesce(occupation.active, false) as is_active
from {{ source('svp', 'occupations') }} as occupation
join {{ ref('currency') }} as currency on currency.code = 'SAR'
left join {{ ref('occupation_category') }} as category
    on category.id = {{ target_id('svp', 'occupation.occupation_category_id') }}
left join {{ ref('svp_occupation_levels') }} as level on level.code = occupation.level
