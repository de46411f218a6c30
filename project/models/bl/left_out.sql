-- Source rows that have no row of their own in UniPACC, for the owners of the data to judge.
{{ config(materialized='table', schema='reporting') }}
{% set carried = [
    ['qvp', 'qualifications', 'qualification'],
    ['qvp', 'verification_requests', 'verification_request'],
    ['qvp', 'verification_reports', 'verification_report'],
    ['qvp', 'certificates', 'certificate'],
    ['qvp', 'invoices', 'invoice'],
    ['qvp', 'payments', 'payment'],
    ['svp', 'exam_sessions', 'exam_session'],
    ['svp', 'exam_reservations', 'exam_registration'],
    ['svp', 'certificates', 'certificate'],
    ['svp', 'invoices', 'invoice'],
    ['svp', 'payments', 'payment']
] %}
{% for source_system, source_table, target_table in carried %}
select
    '{{ source_system }}' as source_system,
    '{{ source_table }}' as source_table,
    source_row.id as source_key,
    '{{ target_table }}' as target_table
from {{ source(source_system, source_table) }} as source_row
left join {{ ref(target_table) }} as target_row on target_row.id = {{ target_id(source_system, 'source_row.id') }}
where target_row.id is null
{% if not loop.last %}
union all
{% endif %}
{% endfor %}
