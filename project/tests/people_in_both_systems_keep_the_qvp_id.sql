-- A person whom both systems know has a key that ends in 1.
select
    svp_record.source_key as labor_id,
    svp_record.person_id
from {{ ref('person_map') }} as svp_record
join {{ ref('person_map') }} as qvp_record
    on qvp_record.source_system = 'qvp'
    and qvp_record.national_id = svp_record.national_id
where svp_record.source_system = 'svp'
    and svp_record.person_id % 10 <> 1
