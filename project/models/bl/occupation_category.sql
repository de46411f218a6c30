-- SVP's categories, and one for occupations whose category is gone.
select
    {{ target_id('svp', 'category.id') }} as id,
    category.name_en,
    {{ clean_text('category.name_ar') }} as name_ar,
    coalesce(category.position, 0) as sort_order
from {{ source('svp', 'occupation_categories') }} as category
union all
select
    9 as id,
    'Unclassified' as name_en,
    'غير مصنف' as name_ar,
    999 as sort_order
