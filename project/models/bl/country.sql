-- ISO's list decides which countries there are; QVP adds the dialling code.
select
    code.id,
    code.iso2,
    code.iso3,
    code.name_en,
    coalesce(nullif(country.name_ar, ''), code.name_ar) as name_ar,
    '+' || ltrim(country.dial_code, '+0') as dial_code
from {{ ref('country_codes') }} as code
left join stg_qvp.countries_live as country on country.code = code.iso2
