select person.id
from {{ ref('persons') }} as person
