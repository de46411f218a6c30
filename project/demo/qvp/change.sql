-- A minute in the life of QVP. Each run moves:
--   applicants              2 updated (a telephone number, a deletion or its undoing)
--   verification_requests   2 updated (one taken into review, the same one verified next time; a remark), 1 inserted
--   invoices                2 updated (a line is taken off one and put on the other)
--   invoice_lines           1 deleted, 1 inserted
--   payments                1 inserted
--   audit_log               2 inserted

update applicants as applicant
set
    phone = '+9665' || lpad(((extract(epoch from clock_timestamp()) * 1000)::bigint % 100000000)::text, 8, '0'),
    updated_at = now()
where applicant.id = 14;

update applicants as applicant
set
    deleted_at = case when applicant.deleted_at is null then now() end,
    updated_at = now()
where applicant.id = 36;

update verification_requests as request
set
    status = case request.status when 'in_review' then 'verified' else 'in_review' end::verification_status,
    updated_at = now()
where request.id = 10;

update verification_requests as request
set
    remarks = E'called back, "no answer"\n' || now(),
    updated_at = now()
where request.id = 12;

insert into verification_requests (
    public_id,
    reference_number,
    applicant_id,
    status,
    priority,
    metadata,
    submitted_at,
    created_at,
    updated_at
)
select
    gen_random_uuid(),
    'VR-N-' || lpad((coalesce(max(request.id), 0) + 1)::text, 10, '0'),
    16,
    'submitted',
    2,
    '{"channel": "web", "note": "✍️"}',
    now(),
    now(),
    now()
from verification_requests as request;

-- The last line of the invoice that has the most is taken off; the oldest invoice gets one more.
with shortened as (
    select
        line.invoice_id,
        max(line.line_number) as line_number
    from invoice_lines as line
    where line.invoice_id <> 1
    group by line.invoice_id
    order by
        count(*) desc,
        line.invoice_id
    limit 1
)

delete from invoice_lines as line
using shortened
where line.invoice_id = shortened.invoice_id
    and line.line_number = shortened.line_number;

insert into invoice_lines (invoice_id, line_number, description, quantity, unit_price)
select
    1,
    coalesce(max(line.line_number), 0) + 1,
    'Courier, returned "to sender"',
    1.5,
    33.30
from invoice_lines as line
where line.invoice_id = 1;

update invoices as invoice
set
    total = line_sum.total,
    updated_at = now()
from (
    select
        every.id as invoice_id,
        coalesce(sum(line.amount), 0) as total
    from invoices as every
    left join invoice_lines as line on line.invoice_id = every.id
    group by every.id
) as line_sum
where line_sum.invoice_id = invoice.id
    and line_sum.total <> invoice.total;

insert into payments (
    invoice_id,
    amount,
    currency,
    method,
    status,
    gateway_reference,
    paid_at,
    created_at,
    updated_at
)
values (
    1,
    50.00,
    'SAR',
    'card',
    'captured',
    'pay_' || md5(clock_timestamp()::text),
    now(),
    now(),
    now()
);

insert into audit_log (
    actor_email,
    action,
    table_name,
    row_id,
    old_values,
    new_values,
    client_ip,
    created_at
)
values
    ('officer.3@qvp.example.com', 'update', 'verification_requests', 10, '{"status": "open"}', null, '10.20.0.7', now()),
    ('Officer.5@qvp.example.com', 'update', 'invoices', 1, null, '{"lines": "+1"}', '2001:db8::7', now());
