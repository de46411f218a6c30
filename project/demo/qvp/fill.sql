-- Rows for QVP. The same scale gives the same rows: values come from hashes of row numbers, moments from a fixed date.
-- "set demo.scale = '0.01'" in the same session makes it small; 1 is the default.

create or replace function pg_temp.scaled(row_count integer) returns integer language sql stable as $$
    select greatest(20, round(row_count * coalesce(nullif(current_setting('demo.scale', true), ''), '1')::numeric))::integer
$$;

create or replace function pg_temp.pick(row_number bigint, salt integer, choices integer) returns integer
language sql immutable as $$
    select ((hashint8extended($1, $2) & 2147483647) % $3)::integer
$$;

create or replace function pg_temp.moment(row_number bigint, row_count bigint) returns timestamptz
language sql stable as $$
    select timestamptz '2026-11-01 00:00:00+00'
        - interval '1 second' * (($2 - $1) * 90000000 / $2)
        - interval '1 microsecond' * (hashint8extended($1, 99) & 33554431)
$$;

create temporary table demo_size as
select
    pg_temp.scaled(8000) as applicants,
    150 as institutions,
    pg_temp.scaled(10000) as qualifications,
    pg_temp.scaled(10000) as requests,
    pg_temp.scaled(7000) as reports,
    pg_temp.scaled(5000) as certificates,
    pg_temp.scaled(8000) as invoices,
    pg_temp.scaled(7000) as payments,
    pg_temp.scaled(6000) as files,
    pg_temp.scaled(80000) as audit_entries;

create temporary table demo_words as
select
    array[
        'Mohammed', 'Ahmed', 'Abdullah', 'Fatimah', 'Khalid', 'Yousef', 'Omar', 'Aisha', 'Hussain', 'Ibrahim',
        'Maryam', 'Saeed', 'Nasser', 'Noura', 'Tariq', 'Rajesh', 'Imran', 'Bilal', 'Sana', 'Zainab'
    ] as given,
    array[
        'محمد', 'أحمد', 'عبدالله', 'فاطمة', 'خالد', 'يوسف', 'عمر', 'عائشة', 'حسين', 'إبراهيم',
        'مريم', 'سعيد', 'ناصر', 'نورة', 'طارق', 'راجيش', 'عمران', 'بلال', 'سناء', 'زينب'
    ] as given_arabic,
    array[
        'Al-Harbi', 'Al-Qahtani', 'Khan', 'Al-Otaibi', 'Rahman', 'Chowdhury', 'Al-Ghamdi', 'Siddiqui', 'Al-Shammari',
        'Malik', 'O''Connor', 'Al-Zahrani', 'Patel', 'Mahmoud', 'Santos', 'Reyes', 'Al-Dosari', 'Begum', 'Sheikh', 'D''Souza'
    ] as family,
    array[
        'الحربي', 'القحطاني', 'خان', 'العتيبي', 'رحمن', 'شودري', 'الغامدي', 'صديقي', 'الشمري',
        'مالك', 'أوكونور', 'الزهراني', 'باتيل', 'محمود', 'سانتوس', 'رييس', 'الدوسري', 'بيغم', 'شيخ', 'دي سوزا'
    ] as family_arabic,
    array[
        E'Said "call me back",\nthen hung up',
        E'tab\there, and a comma, too',
        E'C:\\scans\\new folder\\id.pdf',
        '🙂 شكرا جزيلا 👍🏽',
        E'\\.',
        E'\\N',
        'NULL',
        '',
        '   ',
        E'first line\r\nsecond line',
        'It''s the applicant''s ''own'' spelling',
        U&'\200F' || 'الاسم في الجواز (Mohammed) يختلف' || U&'\200E',
        '"',
        E'ends with a backslash\\'
    ] as remarks;

insert into countries (code, name_en, name_ar, dial_code, is_active, created_at, updated_at)
select
    entry.code,
    entry.name_en,
    entry.name_ar,
    entry.dial_code,
    entry.is_active,
    timestamptz '2021-03-01 08:00:00+00',
    timestamptz '2021-03-01 08:00:00+00'
from (
    values
        ('SA', 'Saudi Arabia', 'المملكة العربية السعودية', '+966', true),
        ('AE', 'United Arab Emirates', 'الإمارات العربية المتحدة', '+971', true),
        ('KW', 'Kuwait', 'الكويت', '+965', true),
        ('BH', 'Bahrain', 'البحرين', '+973', true),
        ('QA', 'Qatar', 'قطر', '+974', true),
        ('OM', 'Oman', 'عُمان', '+968', true),
        ('EG', 'Egypt', 'مصر', '+20', true),
        ('JO', 'Jordan', 'الأردن', '+962', true),
        ('SD', 'Sudan', 'السودان', '+249', true),
        ('YE', 'Yemen', 'اليمن', '00967', true),
        ('IN', 'India', 'الهند', '+91', true),
        ('PK', 'Pakistan', 'باكستان', '+92', true),
        ('BD', 'Bangladesh', 'بنغلاديش', '+880', true),
        ('LK', 'Sri Lanka', 'سريلانكا', '+94', true),
        ('NP', 'Nepal', 'نيبال', '+977', true),
        ('PH', 'Philippines', 'الفلبين', '+63', true),
        ('ID', 'Indonesia', 'إندونيسيا', '62', true),
        ('KE', 'Kenya', '', '+254', true),
        ('NA', 'Namibia', null, '+264', false),
        ('NO', 'Norway', 'النرويج', '+47', false),
        ('GB', 'United Kingdom', 'المملكة المتحدة', '+44', true),
        ('US', 'United States', 'الولايات المتحدة', '+1', true),
        ('CI', 'Côte d''Ivoire', 'ساحل العاج', '+225', false),
        ('XK', 'Kosovo', null, '+383', false)
) as entry (code, name_en, name_ar, dial_code, is_active);

insert into applicants (
    id,
    reference,
    name_latin,
    name_arabic,
    birth_date,
    gender,
    nationality_code,
    national_id,
    passport_number,
    phone,
    email,
    notes,
    created_at,
    updated_at,
    deleted_at
)
select
    person.id,
    'QA-' || lpad(person.id::text, 8, '0'),
    case when person.id % 43 = 5 then upper(person.name_latin) else person.name_latin end,
    case person.id % 19 when 4 then '' when 8 then null else person.name_arabic end,
    case
        when person.id % 401 = 7 then date '0001-01-01'
        when person.id % 503 = 11 then date '2999-12-31'
        when person.id % 607 = 13 then date 'infinity'
        when person.id % 23 = 6 then null
        else date '1960-01-01' + pg_temp.pick(person.number, 4, 16000)
    end,
    case
        when person.id % 37 = 3 then null
        when person.id % 37 = 4 then ' '
        when person.id % 37 = 5 then 'X'
        when person.given in ('Fatimah', 'Aisha', 'Maryam', 'Noura', 'Sana', 'Zainab') then 'F'
        when person.id % 37 = 6 then 'm'
        else 'M'
    end,
    case
        when person.id % 29 = 7 then null
        else (array['SA', 'EG', 'IN', 'PK', 'BD', 'PH', 'LK', 'NP', 'YE', 'NA', 'JO', 'KW'])[
            1 + pg_temp.pick(person.number, 5, 12)
        ]
    end,
    case
        when person.id % 31 = 5 then null
        when person.id % 31 = 6 then ''
        when person.id % 31 = 7 then 'N/A'
        when person.id % 31 = 8 then '1111111111'
        when person.id % 31 = 9 then translate(person.national_id, '0123456789', '٠١٢٣٤٥٦٧٨٩')
        when person.id % 31 = 10 then left(person.national_id, 4) || '-' || substr(person.national_id, 5)
        when person.id % 31 = 11 then ' ' || person.national_id || ' '
        else person.national_id
    end,
    case
        when person.id % 17 = 5 then null
        when person.id % 17 = 6 then ''
        when person.id % 17 = 7 then lower(person.passport_number)
        else person.passport_number
    end,
    case person.id % 13
        when 1 then ''
        when 2 then null
        when 3 then '05' || lpad(pg_temp.pick(person.number, 6, 100000000)::text, 8, '0')
        when 4 then '00966 5' || lpad(pg_temp.pick(person.number, 6, 100000000)::text, 8, '0')
        when 5 then 'ask the sponsor'
        else '+966-5' || lpad(pg_temp.pick(person.number, 6, 100000000)::text, 8, '0')
    end,
    case
        when person.id % 41 = 3 then ''
        when person.id % 41 = 4 then null
        when person.id % 41 = 5 then 'none'
        when person.id % 41 = 6 then ' ' || person.email
        when person.id <> person.number then upper(person.email)
        else person.email
    end,
    case when person.id % 7 = 1 then words.remarks[1 + pg_temp.pick(person.id, 7, cardinality(words.remarks))] end,
    person.created_at,
    least(
        timestamptz '2026-11-01 00:00:00+00',
        person.created_at + interval '1 minute' * pg_temp.pick(person.id, 8, 40000)
    ),
    case
        when person.id % 61 = 9 then least(
            timestamptz '2026-11-01 00:00:00+00',
            person.created_at + interval '1 minute' * (40000 + pg_temp.pick(person.id, 9, 40000))
        )
    end
from demo_words as words
cross join lateral (
    select
        numbered.id,
        numbered.number,
        words.given[1 + pg_temp.pick(numbered.number, 1, 20)] as given,
        concat_ws(
            ' ',
            words.given[1 + pg_temp.pick(numbered.number, 1, 20)],
            words.given[1 + pg_temp.pick(numbered.number, 3, 20)],
            words.family[1 + pg_temp.pick(numbered.number, 2, 20)]
        ) as name_latin,
        concat_ws(
            ' ',
            words.given_arabic[1 + pg_temp.pick(numbered.number, 1, 20)],
            words.given_arabic[1 + pg_temp.pick(numbered.number, 3, 20)],
            words.family_arabic[1 + pg_temp.pick(numbered.number, 2, 20)]
        ) as name_arabic,
        '2' || lpad(((numbered.number * 7919 + 104729) % 999999937)::text, 9, '0') as national_id,
        chr(65 + pg_temp.pick(numbered.number, 10, 26))
            || lpad(((numbered.number * 6007 + 4421) % 99999989)::text, 8, '0') as passport_number,
        lower(words.given[1 + pg_temp.pick(numbered.number, 1, 20)]) || '.' || numbered.number || '@example.com' as email,
        pg_temp.moment(numbered.id, demo_size.applicants) as created_at
    from demo_size
    cross join lateral (
        select
            series.id,
            -- Some people have registered twice.
            case when series.id % 97 = 50 then series.id - 1 else series.id end as number
        from generate_series(1, demo_size.applicants::bigint) as series (id)
    ) as numbered
) as person;

insert into institutions (id, parent_id, name_en, name_ar, kind, country_code, website, created_at, updated_at)
select
    series.id,
    case when series.id > 30 and series.id % 3 = 0 then 1 + pg_temp.pick(series.id, 21, 30) end,
    case
        when series.id > 30 and series.id % 3 = 0 then 'Faculty of '
            || (array['Engineering', 'Medicine', 'Nursing', 'Law', 'Arts & Letters'])[1 + pg_temp.pick(series.id, 22, 5)]
        else (array['University', 'Institute', 'College', 'School'])[1 + pg_temp.pick(series.id, 23, 4)]
            || ' of ' || (array['Riyadh', 'Cairo', 'Lahore', 'Dhaka', 'Manila', 'Kerala'])[1 + pg_temp.pick(series.id, 24, 6)]
            || ' No. ' || series.id
    end,
    case when series.id % 5 > 0 then 'مؤسسة تعليمية رقم ' || series.id end,
    case
        when series.id > 30 and series.id % 3 = 0 then 'faculty'
        else (array['university', 'University ', 'institute', 'school', 'COLLEGE', null])[1 + pg_temp.pick(series.id, 23, 6)]
    end,
    (array['SA', 'EG', 'PK', 'BD', 'PH', 'IN', 'GB', 'NO'])[1 + pg_temp.pick(series.id, 25, 8)],
    case when series.id % 4 > 0 then 'https://institution-' || series.id || '.example.org/' end,
    timestamptz '2021-03-02 08:00:00+00' + interval '1 hour' * series.id,
    timestamptz '2022-03-02 08:00:00+00' + interval '1 hour' * series.id
from demo_size
cross join lateral generate_series(1, demo_size.institutions) as series (id);

insert into qualifications (
    id,
    applicant_id,
    institution_id,
    title,
    field_of_study,
    level,
    subjects,
    started_on,
    awarded_on,
    grade_point_average,
    created_at,
    updated_at
)
select
    series.id,
    1 + (series.id - 1) % demo_size.applicants,
    case when series.id % 33 <> 9 then 1 + pg_temp.pick(series.id, 31, demo_size.institutions) end,
    (array['BSc Computer Science', 'Diploma in Nursing', 'MSc Civil Engineering', 'PhD, Chemistry', 'بكالوريوس إدارة أعمال', ''])[
        1 + pg_temp.pick(series.id, 32, 6)
    ],
    (array['Computing', 'Nursing', 'Engineering', null, '', 'Law "and" Sharia'])[1 + pg_temp.pick(series.id, 33, 6)],
    (array['bachelor', 'Bachelor''s', 'diploma', 'master', 'PhD', 'secondary', 'unknown', null])[
        1 + pg_temp.pick(series.id, 34, 8)
    ],
    case series.id % 4
        when 0 then '{}'
        when 1 then array['Mathematics', 'Physics, applied']
        when 2 then array['العربية', null]
        else array['Say "ah"', E'back\\slash', '']
    end,
    case when series.id % 11 > 2 then date '1985-09-01' + pg_temp.pick(series.id, 35, 12000) end,
    case
        when series.id % 211 = 17 then date '9999-12-31'
        when series.id % 53 = 12 then date '1950-01-01'
        else date '1989-06-30' + pg_temp.pick(series.id, 35, 12000)
    end,
    case when series.id % 6 > 1 then 1 + pg_temp.pick(series.id, 36, 900)::numeric / 100 end,
    pg_temp.moment(series.id, demo_size.qualifications),
    least(
        timestamptz '2026-11-01 00:00:00+00',
        pg_temp.moment(series.id, demo_size.qualifications) + interval '1 minute' * pg_temp.pick(series.id, 37, 40000)
    )
from demo_size
cross join lateral generate_series(1, demo_size.qualifications::bigint) as series (id);

insert into verification_requests (
    id,
    public_id,
    reference_number,
    applicant_id,
    qualification_id,
    status,
    priority,
    metadata,
    remarks,
    submitted_at,
    closed_at,
    created_at,
    updated_at
)
select
    request.id,
    md5('verification request ' || request.id)::uuid,
    'VR-' || to_char(request.created_at at time zone 'UTC', 'YYYY') || '-' || lpad(request.id::text, 8, '0'),
    1 + (request.id - 1) % demo_size.applicants,
    case
        when request.id % 15 <> 4 and request.id <= demo_size.qualifications then request.id
    end,
    request.status,
    (array[1, 2, 3, 5, 0, null, 99])[1 + pg_temp.pick(request.id, 42, 7)],
    case request.id % 5
        when 0 then null
        when 1 then jsonb_build_object('channel', 'web', 'agent', 'Mozilla/5.0 "compat"', 'fee', 0.10)
        when 2 then jsonb_build_object('channel', 'mobile', 'tags', jsonb_build_array('urgent', 'عاجل', '⚠️'))
        when 3 then jsonb_build_array('legacy', request.id)
        else jsonb_build_object('path', E'C:\\temp', 'note', E'two\nlines', 'nothing', null)
    end,
    case when request.id % 9 = 2 then words.remarks[1 + pg_temp.pick(request.id, 43, cardinality(words.remarks))] end,
    case when request.status <> 'draft' then request.created_at + interval '1 minute' * pg_temp.pick(request.id, 44, 3000) end,
    case
        when request.status not in ('verified', 'rejected', 'cancelled') then null
        when request.id % 71 = 20 then request.created_at - interval '1 day'
        else request.created_at + interval '1 minute' * (3000 + pg_temp.pick(request.id, 45, 30000))
    end,
    request.created_at,
    least(
        timestamptz '2026-11-01 00:00:00+00',
        request.created_at + interval '1 minute' * pg_temp.pick(request.id, 46, 40000)
    )
from demo_size
cross join demo_words as words
cross join lateral (
    select
        series.id,
        (enum_range(null::verification_status))[1 + pg_temp.pick(series.id, 41, 7)] as status,
        pg_temp.moment(series.id, demo_size.requests) as created_at
    from generate_series(1, demo_size.requests::bigint) as series (id)
) as request;

insert into verification_reports (
    id,
    verification_request_id,
    version,
    outcome,
    remarks,
    findings,
    signature,
    issued_at,
    created_at,
    updated_at
)
select
    series.id,
    -- Every 25th report is the second version of the one before.
    1 + (case when series.id % 25 = 0 then series.id - 2 else series.id - 1 end) % demo_size.requests,
    case when series.id % 25 = 0 then 2 else 1 end,
    (array['authentic', 'Authentic', 'GENUINE ', 'forged', 'not found', 'pending?', '', null])[
        1 + pg_temp.pick(series.id, 51, 8)
    ],
    case when series.id % 5 = 3 then words.remarks[1 + pg_temp.pick(series.id, 52, cardinality(words.remarks))] end,
    case
        when series.id % 3 = 0 then null
        else format(
            '{"score": %s.0,  "checks": [ "seal", "registrar" ], "score": %s}',
            pg_temp.pick(series.id, 53, 10),
            pg_temp.pick(series.id, 54, 100)
        )::json
    end,
    case when series.id % 2 = 0 then decode(md5('signature ' || series.id), 'hex') end,
    case when series.id % 13 > 0 then pg_temp.moment(series.id, demo_size.reports) + interval '1 hour' end,
    pg_temp.moment(series.id, demo_size.reports),
    least(
        timestamptz '2026-11-01 00:00:00+00',
        pg_temp.moment(series.id, demo_size.reports) + interval '1 minute' * pg_temp.pick(series.id, 55, 40000)
    )
from demo_size
cross join demo_words as words
cross join lateral generate_series(1, demo_size.reports::bigint) as series (id);

insert into certificates (
    id,
    certificate_number,
    verification_request_id,
    status,
    issued_on,
    expires_on,
    revoked_reason,
    created_at,
    updated_at
)
select
    certificate.id,
    'QVP-' || lpad(certificate.id::text, 9, '0'),
    1 + (2 * (certificate.id - 1)) % demo_size.requests,
    certificate.status,
    (certificate.created_at at time zone 'UTC')::date,
    case
        when certificate.id % 47 = 10 then date 'infinity'
        when certificate.id % 83 = 15 then date '2001-01-01'
        when certificate.id % 7 = 5 then null
        else (certificate.created_at at time zone 'UTC')::date + 730
    end,
    case when certificate.status = 'Revoked' then words.remarks[1 + pg_temp.pick(certificate.id, 62, 4)] end,
    certificate.created_at,
    least(
        timestamptz '2026-11-01 00:00:00+00',
        certificate.created_at + interval '1 minute' * pg_temp.pick(certificate.id, 63, 40000)
    )
from demo_size
cross join demo_words as words
cross join lateral (
    select
        series.id,
        (array['issued', 'issued', 'Issued', 'Revoked', 'on hold', 'draft'])[1 + pg_temp.pick(series.id, 61, 6)] as status,
        pg_temp.moment(series.id, demo_size.certificates) as created_at
    from generate_series(1, demo_size.certificates::bigint) as series (id)
) as certificate;

create temporary table demo_invoice_line as
select
    invoice.id as invoice_id,
    line.number as line_number,
    (array['Verification fee', 'Courier, "express"', 'رسوم التحقق', E'Translation\n(2 pages)'])[
        1 + pg_temp.pick(invoice.id * 10 + line.number, 71, 4)
    ] as description,
    (1 + pg_temp.pick(invoice.id * 10 + line.number, 72, 4))::numeric(10, 2) as quantity,
    case
        when invoice.id % 20 = 12 then 5 + pg_temp.pick(invoice.id * 10 + line.number, 73, 90000)::numeric / 1000
        else 50 + pg_temp.pick(invoice.id * 10 + line.number, 73, 90000)::numeric / 100
    end::numeric(14, 3) as unit_price
from demo_size
cross join lateral generate_series(1, demo_size.invoices::bigint) as invoice (id)
cross join lateral generate_series(1, 1 + pg_temp.pick(invoice.id, 74, 3)) as line (number);

insert into invoices (
    id,
    invoice_number,
    applicant_id,
    verification_request_id,
    currency,
    total,
    state,
    issued_at,
    due_on,
    created_at,
    updated_at
)
select
    invoice.id,
    'INV-' || lpad(invoice.id::text, 9, '0'),
    1 + (invoice.id - 1) % demo_size.applicants,
    case when invoice.id <= demo_size.requests and invoice.id % 14 <> 6 then invoice.id end,
    case invoice.id % 20
        when 10 then 'sar'
        when 11 then 'SR'
        when 12 then 'KWD'
        when 13 then 'USD'
        when 14 then ''
        when 15 then null
        when 16 then 'ر.س'
        when 17 then ' SAR '
        else 'SAR'
    end,
    line_sum.total,
    invoice.state,
    case when invoice.state <> 'draft' then invoice.created_at + interval '5 minutes' end,
    case
        when invoice.id % 91 = 18 then date '2999-01-01'
        else (invoice.created_at at time zone 'UTC')::date + 30
    end,
    invoice.created_at,
    least(
        timestamptz '2026-11-01 00:00:00+00',
        invoice.created_at + interval '1 minute' * pg_temp.pick(invoice.id, 76, 40000)
    )
from demo_size
cross join lateral (
    select
        series.id,
        (array['draft', 'issued', 'paid', 'paid', 'paid', 'void']::invoice_state[])[1 + pg_temp.pick(series.id, 75, 6)] as state,
        pg_temp.moment(series.id, demo_size.invoices) as created_at
    from generate_series(1, demo_size.invoices::bigint) as series (id)
) as invoice
join (
    select
        line.invoice_id,
        sum(round(line.quantity * line.unit_price, 3)) as total
    from demo_invoice_line as line
    group by line.invoice_id
) as line_sum on line_sum.invoice_id = invoice.id;

insert into invoice_lines (invoice_id, line_number, description, quantity, unit_price)
select
    line.invoice_id,
    line.line_number,
    line.description,
    line.quantity,
    line.unit_price
from demo_invoice_line as line
order by
    line.invoice_id,
    line.line_number;

insert into payments (
    id,
    invoice_id,
    amount,
    currency,
    method,
    status,
    gateway_reference,
    gateway_response,
    paid_at,
    created_at,
    updated_at
)
select
    series.id,
    invoice.id,
    case when series.id % 45 = 8 then round(invoice.total / 3, 2) else invoice.total end,
    case when series.id % 27 = 3 then null else invoice.currency end,
    (array['card', 'CARD', 'mada', 'bank', 'wallet', 'sadad', '', null])[1 + pg_temp.pick(series.id, 81, 8)],
    (array['captured', 'captured', 'captured', 'pending', 'failed', 'refunded'])[1 + pg_temp.pick(series.id, 82, 6)],
    case when series.id % 12 <> 7 then 'pay_' || md5('payment ' || series.id) end,
    case
        when series.id % 3 = 1
            then jsonb_build_object('code', '00', 'amount', invoice.total, 'holder', 'MOHAMMED "M" AL-HARBI')
    end,
    case when series.id % 10 <> 9 then invoice.created_at + interval '1 minute' * pg_temp.pick(series.id, 83, 9000) end,
    invoice.created_at + interval '1 minute',
    least(
        timestamptz '2026-11-01 00:00:00+00',
        invoice.created_at + interval '1 minute' * (1 + pg_temp.pick(series.id, 84, 20000))
    )
from demo_size
cross join lateral generate_series(1, demo_size.payments::bigint) as series (id)
join invoices as invoice on invoice.id = 1 + (series.id - 1) % demo_size.invoices;

insert into file_storage (
    id,
    owner_table,
    owner_id,
    purpose,
    bucket,
    object_key,
    file_name,
    content_type,
    byte_size,
    sha256,
    created_at,
    updated_at,
    deleted_at
)
select
    file.id,
    file.owner_table,
    -- Some owners are long gone.
    case
        when file.id % 89 = 3 then 900000000 + file.id
        else 1 + pg_temp.pick(
            file.id,
            92,
            case file.owner_table
                when 'applicants' then demo_size.applicants
                when 'qualifications' then demo_size.qualifications
                when 'verification_requests' then demo_size.requests
                when 'certificates' then demo_size.certificates
                else demo_size.invoices
            end
        )
    end,
    (array['passport', 'transcript', 'letter', 'photo', null])[1 + pg_temp.pick(file.id, 93, 5)],
    'qvp-documents',
    case file.id % 50
        when 3 then 'uploads//' || file.id || '/scan.pdf'
        when 4 then 'uploads/' || file.id || '/صورة الجواز.jpg'
        when 5 then 'uploads/' || file.id || '/my file (1)+copy%20.pdf'
        else 'uploads/' || substr(md5('file ' || file.id), 1, 2) || '/' || md5('file ' || file.id) || '.pdf'
    end,
    case file.id % 50
        when 4 then 'صورة الجواز.jpg'
        when 6 then null
        when 7 then ''
        when 8 then 'quote " and, comma.pdf'
        else 'document-' || file.id || '.pdf'
    end,
    case file.id % 16 when 2 then null when 3 then '' when 4 then 'image/jpeg' else 'application/pdf' end,
    case file.id % 60 when 10 then -1 when 11 then null else 1000 + pg_temp.pick(file.id, 94, 5000000) end,
    case
        when file.id % 21 = 7 then null
        when file.id % 21 = 8 then ''
        when file.id % 21 = 9 then upper(md5('a' || file.id) || md5('b' || file.id))
        else md5('a' || file.id) || md5('b' || file.id)
    end,
    file.created_at,
    file.created_at,
    case when file.id % 77 = 30 then file.created_at + interval '2 days' end
from demo_size
cross join lateral (
    select
        series.id,
        (array['applicants', 'qualifications', 'verification_requests', 'certificates', 'invoices', 'reports'])[
            1 + least(5, pg_temp.pick(series.id, 91, 51) / 10)
        ] as owner_table,
        pg_temp.moment(series.id, demo_size.files) as created_at
    from generate_series(1, demo_size.files::bigint) as series (id)
) as file;

insert into audit_log (
    id,
    actor_email,
    action,
    table_name,
    row_id,
    old_values,
    new_values,
    client_ip,
    created_at
)
overriding system value
select
    series.id,
    case
        when series.id % 10 = 3 then null
        when series.id % 400 = 8 then ''
        when series.id % 9 = 4 then 'Officer.' || pg_temp.pick(series.id, 101, 12) || '@QVP.example.com'
        else 'officer.' || pg_temp.pick(series.id, 101, 12) || '@qvp.example.com'
    end,
    (array['insert', 'update', 'update', 'update', 'delete', 'login'])[1 + pg_temp.pick(series.id, 102, 6)],
    (array['applicants', 'verification_requests', 'certificates', 'invoices'])[1 + pg_temp.pick(series.id, 103, 4)],
    1 + pg_temp.pick(series.id, 104, demo_size.applicants),
    case
        when pg_temp.pick(series.id, 102, 6) between 1 and 4
            then jsonb_build_object('status', 'submitted', 'remarks', words.remarks[1 + pg_temp.pick(series.id, 105, 14)])
    end,
    case
        when pg_temp.pick(series.id, 102, 6) between 0 and 3
            then jsonb_build_object('status', 'in_review', 'step', pg_temp.pick(series.id, 106, 9))
    end,
    case
        when series.id % 7 = 2 then null
        when series.id % 7 = 3 then inet '2001:db8::' + pg_temp.pick(series.id, 107, 60000)
        else inet '10.20.0.0' + pg_temp.pick(series.id, 107, 60000)
    end,
    pg_temp.moment(series.id, demo_size.audit_entries)
from demo_size
cross join demo_words as words
cross join lateral generate_series(1, demo_size.audit_entries::bigint) as series (id);

select
    setval(pg_get_serial_sequence('applicants', 'id'), (select max(applicant.id) + 1000 from applicants as applicant)),
    setval(pg_get_serial_sequence('institutions', 'id'), (select max(institution.id) + 1000 from institutions as institution)),
    setval(
        pg_get_serial_sequence('qualifications', 'id'),
        (select max(qualification.id) + 1000 from qualifications as qualification)
    ),
    setval(
        pg_get_serial_sequence('verification_requests', 'id'),
        (select max(request.id) + 1000 from verification_requests as request)
    ),
    setval(
        pg_get_serial_sequence('verification_reports', 'id'),
        (select max(report.id) + 1000 from verification_reports as report)
    ),
    setval(pg_get_serial_sequence('certificates', 'id'), (select max(certificate.id) + 1000 from certificates as certificate)),
    setval(pg_get_serial_sequence('invoices', 'id'), (select max(invoice.id) + 1000 from invoices as invoice)),
    setval(pg_get_serial_sequence('payments', 'id'), (select max(payment.id) + 1000 from payments as payment)),
    setval(pg_get_serial_sequence('file_storage', 'id'), (select max(file.id) + 1000 from file_storage as file)),
    setval(pg_get_serial_sequence('audit_log', 'id'), (select max(entry.id) + 1000 from audit_log as entry));

drop table demo_invoice_line;
drop table demo_words;
drop table demo_size;

analyze;
