select
    {{ target_id('qvp', 'report.id') }} as id,
    request.id as verification_request_id,
    report.version,
    coalesce(outcome.target_label, 'inconclusive')::unipacc.report_outcome as outcome,
    {{ clean_text('report.remarks') }} as remarks,
    -- QVP's json may name a key twice; jsonb keeps the last.
    report.findings::jsonb as findings,
    report.signature,
    report.issued_at
from {{ source('qvp', 'verification_reports') }} as report
join {{ ref('verification_request') }} as request
    on request.id = {{ target_id('qvp', 'report.verification_request_id') }}
left join {{ ref('qvp_labels') }} as outcome
    on outcome.list = 'report_outcome'
    and outcome.label = {{ clean_code('report.outcome') }}
