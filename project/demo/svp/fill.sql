-- Rows for SVP. The same scale gives the same rows: values come from hashes of row numbers, moments from a fixed date.
-- "set demo.scale = '0.01'" in the same session makes it small; 1 is the default.
-- Every third labourer is also an applicant in QVP, written differently.

create or replace function pg_temp.scaled(row_count integer) returns integer language sql stable as $$
    select greatest(20, round(row_count * coalesce(nullif(current_setting('demo.scale', true), ''), '1')::numeric))::integer
$$;

create or replace function pg_temp.pick(row_number bigint, salt integer, choices integer) returns integer
language sql immutable as $$
    select ((hashint8extended($1, $2) & 2147483647) % $3)::integer
$$;

create or replace function pg_temp.moment(row_number bigint, row_count bigint) returns timestamp
language sql immutable as $$
    select timestamp '2026-11-01 00:00:00'
        - interval '1 second' * (($2 - $1) * 90000000 / $2)
        - interval '1 microsecond' * (hashint8extended($1, 199) & 33554431)
$$;

create or replace function pg_temp.later(created_at timestamp, row_number bigint, salt integer, minutes integer)
returns timestamp language sql immutable as $$
    select least(timestamp '2026-11-01 00:00:00', $1 + interval '1 minute' * ((hashint8extended($2, $3) & 2147483647) % $4))
$$;

create temporary table demo_size as
select
    pg_temp.scaled(8000) as applicants,
    pg_temp.scaled(6000) as labors,
    15 as categories,
    120 as occupations,
    40 as test_centers,
    pg_temp.scaled(300) as users,
    pg_temp.scaled(600) as sessions,
    pg_temp.scaled(7000) as reservations,
    pg_temp.scaled(5000) as results,
    pg_temp.scaled(3500) as certificates,
    pg_temp.scaled(7000) as invoices,
    pg_temp.scaled(5000) as payments,
    pg_temp.scaled(3200) as originals,
    pg_temp.scaled(800) as variants,
    pg_temp.scaled(20000) as versions;

create temporary table demo_words as
select
    array[
        'Muhammad', 'Ahmad', 'Abdallah', 'Fatma', 'Khaled', 'Yusuf', 'Umar', 'Ayesha', 'Hussein', 'Ebrahim',
        'Mariam', 'Said', 'Naser', 'Nora', 'Tarek', 'Rajesh', 'Emran', 'Belal', 'Sanaa', 'Zaynab'
    ] as given,
    array[
        'محمد', 'احمد', 'عبد الله', 'فاطمه', 'خالد', 'يوسف', 'عمر', 'عائشه', 'حسين', 'ابراهيم',
        'مريم', 'سعيد', 'ناصر', 'نوره', 'طارق', 'راجيش', 'عمران', 'بلال', 'سناء', 'زينب'
    ] as given_arabic,
    array[
        'Alharbi', 'Al Qahtani', 'Khan', 'Alotaibi', 'Rehman', 'Choudhury', 'Alghamdi', 'Siddiqi', 'Alshammari',
        'Malek', 'OConnor', 'Alzahrani', 'Patel', 'Mahmood', 'Santos', 'Reyes', 'Aldosari', 'Begam', 'Shaikh', 'Dsouza'
    ] as family,
    array[
        'الحربى', 'القحطانى', 'خان', 'العتيبى', 'رحمن', 'شودرى', 'الغامدى', 'صديقى', 'الشمرى',
        'مالك', 'اوكونور', 'الزهرانى', 'باتيل', 'محمود', 'سانتوس', 'رييس', 'الدوسرى', 'بيغم', 'شيخ', 'دى سوزا'
    ] as family_arabic,
    array[
        E'Seat near the door,\nplease',
        E'a\ttab and a "quote"',
        E'D:\\exports\\2024',
        '✅ حضر مبكرا 🔧',
        E'\\.',
        E'\\N',
        'null',
        '',
        '  ',
        E'carriage\r\nreturn',
        'he''s late',
        U&'\202B' || 'ملاحظة: المرشح (ID 42) لم يحضر' || U&'\202C'
    ] as remarks,
    array['SAR', 'SAR', 'SAR', 'SAR', 'SAR', 'sar', 'SR', 'KWD', 'USD', '', null, 'S.R.'] as currencies;

insert into schema_migrations (version)
select to_char(timestamp '2020-02-03 09:14:07' + interval '41 days 3 hours 7 minutes' * series.number, 'YYYYMMDDHH24MISS')
from generate_series(1, 58) as series (number);

insert into occupation_categories (id, name_en, name_ar, position, created_at, updated_at)
select
    entry.id,
    entry.name_en,
    entry.name_ar,
    case when entry.id % 5 > 0 then entry.id end,
    timestamp '2020-02-10 08:00:00',
    timestamp '2020-02-10 08:00:00'
from (
    values
        (1, 'Electrical', 'الكهرباء'),
        (2, 'Plumbing', 'السباكة'),
        (3, 'Welding', 'اللحام'),
        (4, 'Carpentry', 'النجارة'),
        (5, 'Heating & cooling', 'التدفئة والتبريد'),
        (6, 'Automotive', 'السيارات'),
        (7, 'Masonry', 'البناء'),
        (8, 'Painting', 'الدهان'),
        (9, 'Tiling', null),
        (10, 'Heavy equipment', 'المعدات الثقيلة'),
        (11, 'Food service', ''),
        (12, 'Tailoring', 'الخياطة'),
        (13, 'Agriculture', 'الزراعة'),
        (14, 'Cleaning', 'النظافة'),
        (15, 'Driving', 'القيادة')
) as entry (id, name_en, name_ar);

insert into occupations (
    id,
    occupation_category_id,
    code,
    title_en,
    title_ar,
    level,
    fee_cents,
    active,
    created_at,
    updated_at
)
select
    series.id,
    -- Two occupations belong to a category that was removed.
    case when series.id in (57, 58) then 99 else 1 + series.id % demo_size.categories end,
    'OCC-' || lpad((7000 + series.id * 3)::text, 5, '0'),
    (array['Assistant', 'Technician', 'Senior technician', 'Supervisor'])[1 + series.id % 4] || ' ' || series.id,
    case when series.id % 6 > 0 then 'مهنة رقم ' || series.id end,
    case series.id % 9 when 0 then null when 1 then 11 when 2 then 0 else series.id % 4 end,
    10000 + 500 * (series.id % 20),
    case when series.id % 17 = 3 then null else series.id % 11 <> 4 end,
    timestamp '2020-02-11 08:00:00' + interval '1 hour' * series.id,
    timestamp '2024-02-11 08:00:00' + interval '1 hour' * series.id
from demo_size
cross join lateral generate_series(1, demo_size.occupations) as series (id);

insert into test_centers (
    id,
    parent_id,
    code,
    name,
    name_ar,
    country,
    city,
    location,
    capacity,
    settings,
    deleted_at,
    created_at,
    updated_at
)
select
    series.id,
    case when series.id > 8 and series.id % 3 > 0 then 1 + series.id % 8 when series.id = 27 then 555 end,
    case when series.id % 10 <> 9 then 'TC' || lpad(series.id::text, 4, '0') else '' end,
    'Test center ' || (array['Riyadh', 'Jeddah', 'Dammam', 'Karachi', 'Manila'])[1 + series.id % 5] || ' ' || series.id,
    case when series.id % 7 > 1 then 'مركز اختبار ' || series.id end,
    (array['sa', 'SA', 'sa ', 'pk', 'ph', 'zz'])[1 + pg_temp.pick(series.id, 11, 6)],
    (array['Riyadh', 'Jeddah', 'Dammam', 'Karachi', 'Manila'])[1 + series.id % 5],
    case
        when series.id % 13 = 5 then null
        when series.id = 21 then point(946.7, 24.6)
        else point(39 + series.id::double precision / 7, 21 + series.id::double precision / 9)
    end,
    20 + series.id % 30,
    jsonb_build_object('rooms', series.id % 6, 'open', jsonb_build_array('sun', 'mon', 'tue')),
    case when series.id = 39 then timestamp '2025-05-05 10:00:00' end,
    timestamp '2020-03-01 08:00:00' + interval '1 day' * series.id,
    timestamp '2024-03-01 08:00:00' + interval '1 day' * series.id
from demo_size
cross join lateral generate_series(1, demo_size.test_centers) as series (id);

insert into users (
    id,
    type,
    email,
    full_name,
    encrypted_password,
    sign_in_count,
    last_sign_in_at,
    last_sign_in_ip,
    test_center_id,
    deleted_at,
    created_at,
    updated_at
)
select
    series.id,
    (array['Admin', 'CenterOperator', 'CenterOperator', 'Examiner', 'Examiner', 'Intern', null])[
        1 + pg_temp.pick(series.id, 12, 7)
    ],
    case
        when series.id = 2 then 'Officer.3@qvp.example.com'
        when series.id = 20 then 'trainee@svp.example.com'
        when series.id % 25 = 7 then 'Staff.' || (series.id - 1) || '@SVP.example.com'
        else 'staff.' || series.id || '@svp.example.com'
    end,
    words.given[1 + pg_temp.pick(series.id, 13, 20)] || ' ' || words.family[1 + pg_temp.pick(series.id, 14, 20)],
    '$2a$12$' || md5('password ' || series.id),
    pg_temp.pick(series.id, 15, 900),
    case when series.id % 8 > 0 then pg_temp.moment(series.id, demo_size.users) end,
    case when series.id % 8 > 0 then inet '10.40.0.0' + pg_temp.pick(series.id, 16, 60000) end,
    case when series.id % 4 > 0 then 1 + pg_temp.pick(series.id, 17, 44) end,
    case when series.id % 33 = 11 then timestamp '2026-01-15 12:00:00' end,
    pg_temp.moment(series.id, demo_size.users),
    pg_temp.later(pg_temp.moment(series.id, demo_size.users), series.id, 18, 40000)
from demo_size
cross join demo_words as words
cross join lateral generate_series(1, demo_size.users::bigint) as series (id);

insert into labors (
    id,
    full_name,
    full_name_ar,
    date_of_birth,
    gender,
    nationality,
    national_id,
    passport_no,
    mobile,
    email,
    occupation_id,
    languages,
    preferences,
    remarks,
    deleted_at,
    created_at,
    updated_at
)
select
    labor.id,
    case
        when labor.id % 89 = 6 then ''
        when labor.id % 4 = 1 then upper(labor.name_latin)
        when labor.id % 4 = 2 then lower(labor.name_latin) || '  '
        else labor.name_latin
    end,
    case when labor.id % 3 < 2 then labor.name_arabic end,
    case
        when labor.id % 211 = 12 then date '0001-01-01'
        when labor.id % 211 = 13 then date '2999-01-01'
        when labor.id % 211 = 14 then date '-infinity'
        when labor.id % 15 = 4 then null
        else date '1960-01-01' + pg_temp.pick(labor.number, 4, 16000)
    end,
    case
        when labor.id % 41 = 7 then null
        when labor.id % 41 = 8 then 9
        when labor.given in ('Fatma', 'Ayesha', 'Mariam', 'Nora', 'Sanaa', 'Zaynab') then 1
        else 0
    end,
    case labor.id % 30
        when 2 then ''
        when 3 then null
        when 4 then 'XXX'
        when 5 then 'KSA'
        when 6 then 'ind'
        else (array['SAU', 'EGY', 'IND', 'PAK', 'BGD', 'PHL', 'LKA', 'NPL', 'YEM', 'NAM', 'JOR', 'KWT'])[
            1 + pg_temp.pick(labor.number, 5, 12)
        ]
    end,
    case labor.id % 25
        when 2 then null
        when 3 then ''
        when 4 then '-'
        when 5 then left(labor.national_id, 3) || ' ' || substr(labor.national_id, 4, 3) || ' ' || substr(labor.national_id, 7)
        when 6 then '0000000000'
        else labor.national_id
    end,
    case labor.id % 14 when 3 then null when 4 then '' when 5 then lower(labor.passport_no) else labor.passport_no end,
    case labor.id % 12
        when 1 then null
        when 2 then '05' || lpad(pg_temp.pick(labor.number, 6, 100000000)::text, 8, '0')
        when 3 then '5' || lpad(pg_temp.pick(labor.number, 6, 100000000)::text, 8, '0')
        when 4 then 'x'
        else '+966 5' || lpad(pg_temp.pick(labor.number, 6, 100000000)::text, 8, '0')
    end,
    case labor.id % 10
        when 1 then null
        when 2 then ''
        when 3 then initcap(labor.email)
        else labor.email
    end,
    case
        when labor.id % 19 = 3 then null
        when labor.id % 97 = 20 then 9999
        else 1 + pg_temp.pick(labor.id, 22, demo_size.occupations)
    end,
    case labor.id % 3
        when 0 then '{}'::character varying[]
        when 1 then array['ar', 'en']
        else array['ur', 'Hindi, spoken', '']
    end,
    case labor.id % 4
        when 0 then '{}'::jsonb
        else jsonb_build_object('sms', labor.id % 2 = 0, 'locale', 'ar', 'quote', '"')
    end,
    case when labor.id % 8 = 5 then words.remarks[1 + pg_temp.pick(labor.id, 23, cardinality(words.remarks))] end,
    case when labor.id % 71 = 30 then pg_temp.later(labor.created_at, labor.id, 24, 90000) end,
    labor.created_at,
    pg_temp.later(labor.created_at, labor.id, 25, 40000)
from demo_size
cross join demo_words as words
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
            || lpad(((numbered.number * 6007 + 4421) % 99999989)::text, 8, '0') as passport_no,
        lower(words.given[1 + pg_temp.pick(numbered.number, 1, 20)]) || '.' || numbered.number || '@example.com' as email,
        pg_temp.moment(numbered.id, demo_size.labors) as created_at
    from (
        select
            series.id,
            case
                when series.id % 101 = 60 then 500000000 + series.id - 2
                when series.id % 3 = 0 then 1 + (series.id / 3 - 1) % demo_size.applicants
                else 500000000 + series.id
            end as number
        from generate_series(1, demo_size.labors::bigint) as series (id)
    ) as numbered
) as labor;

insert into exam_sessions (
    id,
    test_center_id,
    occupation_id,
    status,
    starts_at,
    ends_at,
    capacity,
    created_at,
    updated_at
)
select
    session.id,
    case when session.id % 38 = 7 then 77 else 1 + pg_temp.pick(session.id, 31, demo_size.test_centers) end,
    case when session.id % 43 = 9 then null else 1 + pg_temp.pick(session.id, 32, demo_size.occupations) end,
    (array[0, 1, 1, 2, 2, 3, 7])[1 + pg_temp.pick(session.id, 33, 7)],
    case when session.id % 46 = 11 then null else date_trunc('hour', session.created_at + interval '20 days') end,
    case
        when session.id % 27 = 12 then date_trunc('hour', session.created_at)
        when session.id % 27 = 13 then null
        else date_trunc('hour', session.created_at + interval '20 days') + interval '3 hours'
    end,
    (array[20, 24, 30, 40, 0, null])[1 + pg_temp.pick(session.id, 34, 6)],
    session.created_at,
    pg_temp.later(session.created_at, session.id, 35, 40000)
from demo_size
cross join lateral (
    select
        series.id,
        pg_temp.moment(series.id, demo_size.sessions) as created_at
    from generate_series(1, demo_size.sessions::bigint) as series (id)
) as session;

insert into exam_reservations (
    id,
    labor_id,
    exam_session_id,
    status,
    seat_number,
    notes,
    reserved_at,
    deleted_at,
    created_at,
    updated_at
)
select
    reservation.id,
    case
        when reservation.id % 67 = 5 then 800000000 + reservation.id
        else 1 + (reservation.same_as - 1) % demo_size.labors
    end,
    case
        when reservation.id % 73 = 6 then 8000000 + reservation.id
        else 1 + pg_temp.pick(reservation.same_as, 41, demo_size.sessions)
    end,
    (array[0, 1, 1, 2, 2, 2, 3, 4, 42])[1 + pg_temp.pick(reservation.id, 42, 9)],
    case reservation.id % 6 when 0 then null when 1 then '' else chr(65 + (reservation.id % 8)::integer) || reservation.id % 30 end,
    case when reservation.id % 9 = 4 then words.remarks[1 + pg_temp.pick(reservation.id, 43, cardinality(words.remarks))] end,
    case when reservation.id % 22 <> 8 then reservation.created_at + interval '2 seconds' end,
    case when reservation.id % 64 = 1 then pg_temp.later(reservation.created_at, reservation.id, 44, 9000) end,
    reservation.created_at,
    pg_temp.later(reservation.created_at, reservation.id, 45, 40000)
from demo_size
cross join demo_words as words
cross join lateral (
    select
        series.id,
        -- A double click books twice.
        case when series.id % 59 = 20 then series.id - 1 else series.id end as same_as,
        pg_temp.moment(series.id, demo_size.reservations) as created_at
    from generate_series(1, demo_size.reservations::bigint) as series (id)
) as reservation;

insert into exam_results (
    id,
    exam_reservation_id,
    outcome,
    theory_score,
    practical_score,
    details,
    created_at,
    updated_at
)
select
    result.id,
    case
        when result.id % 113 = 14 then 70000000 + result.id
        when result.id % 40 = 30 then 1 + (result.id - 2) % demo_size.reservations
        else 1 + (result.id - 1) % demo_size.reservations
    end,
    (array[0, 1, 1, 1, 2, null, 8])[1 + pg_temp.pick(result.id, 51, 7)],
    case
        when result.id % 57 = 8 then 105.50
        when result.id % 57 = 9 then -1
        when result.id % 57 = 10 then null
        else pg_temp.pick(result.id, 52, 10001)::numeric / 100
    end,
    case when result.id % 9 > 1 then pg_temp.pick(result.id, 53, 10001)::numeric / 100 end,
    case
        when result.id % 3 > 0 then jsonb_build_object(
            'examiner', 1 + pg_temp.pick(result.id, 54, demo_size.users),
            'tasks', jsonb_build_array(1, 2.50, 'ممتاز')
        )
    end,
    result.created_at,
    pg_temp.later(result.created_at, result.id, 55, 40000)
from demo_size
cross join lateral (
    select
        series.id,
        pg_temp.moment(series.id, demo_size.results) as created_at
    from generate_series(1, demo_size.results::bigint) as series (id)
) as result;

insert into certificates (
    id,
    type,
    certificate_no,
    labor_id,
    occupation_id,
    exam_result_id,
    status,
    issued_at,
    expires_at,
    created_at,
    updated_at
)
select
    certificate.id,
    case
        when certificate.id % 50 = 9 then null
        when certificate.id % 6 = 1 then 'RenewalCertificate'
        else 'SkillCertificate'
    end,
    case
        when certificate.id % 120 = 8 then 'SVP' || lpad((certificate.id - 1)::text, 8, '0')
        when certificate.id % 120 = 9 then null
        when certificate.id % 120 = 10 then ' '
        else 'SVP' || lpad(certificate.id::text, 8, '0')
    end,
    case
        when certificate.id % 103 = 12 then 900000000 + certificate.id
        when certificate.id % 103 = 13 then null
        else 1 + (certificate.id - 1) % demo_size.labors
    end,
    case when certificate.id % 79 = 14 then 9999 else 1 + pg_temp.pick(certificate.id, 61, demo_size.occupations) end,
    1 + (certificate.id - 1) % demo_size.results,
    (array[0, 1, 1, 1, 2, 3, 4, 17])[1 + pg_temp.pick(certificate.id, 62, 8)],
    case when certificate.id % 20 <> 15 then certificate.created_at end,
    case
        when certificate.id % 90 = 16 then timestamp 'infinity'
        when certificate.id % 90 = 17 then timestamp '1970-01-01 00:00:00'
        when certificate.id % 90 = 18 then null
        else certificate.created_at + interval '1095 days'
    end,
    certificate.created_at,
    pg_temp.later(certificate.created_at, certificate.id, 63, 40000)
from demo_size
cross join lateral (
    select
        series.id,
        pg_temp.moment(series.id, demo_size.certificates) as created_at
    from generate_series(1, demo_size.certificates::bigint) as series (id)
) as certificate;

insert into invoices (
    id,
    invoice_no,
    labor_id,
    payable_type,
    payable_id,
    currency,
    amount_cents,
    line_items,
    status,
    issued_at,
    created_at,
    updated_at
)
select
    invoice.id,
    case when invoice.id % 130 = 3 then '' else 'S-' || lpad(invoice.id::text, 9, '0') end,
    case when invoice.id % 88 = 17 then 900000000 + invoice.id else 1 + (invoice.id - 1) % demo_size.labors end,
    (array['ExamReservation', 'ExamReservation', 'Certificate', 'Booking'])[1 + pg_temp.pick(invoice.id, 71, 4)],
    1 + (invoice.id - 1) % least(demo_size.reservations, demo_size.certificates),
    words.currencies[1 + pg_temp.pick(invoice.id, 72, 12)],
    invoice.fee_cents + case when invoice.id % 3 = 1 then 2 * invoice.extra_cents else 0 end,
    case
        -- The oldest invoices have no items.
        when invoice.id % 37 = 2 then '[]'::jsonb
        when invoice.id % 3 = 1 then jsonb_build_array(
            jsonb_build_object('title', 'Exam fee', 'qty', 1, 'unit_cents', invoice.fee_cents),
            jsonb_build_object('title', 'رسوم "إضافية"', 'qty', '2', 'unit_cents', invoice.extra_cents)
        )
        else jsonb_build_array(jsonb_build_object('title', 'Exam fee', 'qty', 1, 'unit_cents', invoice.fee_cents))
    end,
    (array[0, 1, 2, 2, 2, 3, 6])[1 + pg_temp.pick(invoice.id, 73, 7)],
    case when invoice.id % 18 <> 5 then invoice.created_at + interval '1 minute' end,
    invoice.created_at,
    pg_temp.later(invoice.created_at, invoice.id, 74, 40000)
from demo_size
cross join demo_words as words
cross join lateral (
    select
        series.id,
        (10000 + pg_temp.pick(series.id, 75, 30000))::bigint as fee_cents,
        (100 + pg_temp.pick(series.id, 76, 5000))::bigint as extra_cents,
        pg_temp.moment(series.id, demo_size.invoices) as created_at
    from generate_series(1, demo_size.invoices::bigint) as series (id)
) as invoice;

insert into payments (
    id,
    invoice_id,
    amount_cents,
    currency,
    method,
    status,
    gateway,
    gateway_payload,
    paid_at,
    created_at,
    updated_at
)
select
    series.id,
    case
        when series.id % 94 = 19 then 900000000 + series.id
        when series.id % 94 = 20 then null
        else invoice.id
    end,
    invoice.amount_cents,
    case when series.id % 5 = 0 then null else invoice.currency end,
    (array[0, 0, 1, 2, 3, null, 12])[1 + pg_temp.pick(series.id, 81, 7)],
    (array[0, 1, 1, 1, 2, 3, 5])[1 + pg_temp.pick(series.id, 82, 7)],
    case when series.id % 7 > 0 then 'hyperpay' end,
    case when series.id % 4 = 1 then jsonb_build_object('ref', md5('svp payment ' || series.id), 'raw', E'a=1&b="2"\n') end,
    case when series.id % 11 <> 6 then invoice.created_at + interval '3 minutes' end,
    invoice.created_at + interval '2 minutes',
    pg_temp.later(invoice.created_at + interval '2 minutes', series.id, 83, 20000)
from demo_size
cross join lateral generate_series(1, demo_size.payments::bigint) as series (id)
join invoices as invoice on invoice.id = 1 + (series.id - 1) % demo_size.invoices;

insert into versions (id, item_type, item_id, event, whodunnit, object, object_changes, created_at)
select
    series.id,
    (array['Labor', 'ExamReservation', 'Certificate', 'Worker'])[1 + pg_temp.pick(series.id, 91, 4)],
    1 + pg_temp.pick(series.id, 92, demo_size.labors),
    (array['create', 'update', 'update', 'destroy'])[1 + pg_temp.pick(series.id, 93, 4)],
    case
        when series.id % 13 = 1 then null
        when series.id % 13 = 2 then ''
        when series.id % 13 = 3 then 'console: deploy@web-1'
        when series.id % 13 = 4 then '99999999'
        else (1 + pg_temp.pick(series.id, 94, demo_size.users))::text
    end,
    case
        when pg_temp.pick(series.id, 93, 4) > 0
            then jsonb_build_object('id', series.id, 'remarks', words.remarks[1 + pg_temp.pick(series.id, 95, 12)])
    end,
    case
        when pg_temp.pick(series.id, 93, 4) < 3
            then jsonb_build_object('status', jsonb_build_array(null, pg_temp.pick(series.id, 96, 5)))
    end,
    pg_temp.moment(series.id, demo_size.versions)
from demo_size
cross join demo_words as words
cross join lateral generate_series(1, demo_size.versions::bigint) as series (id);

insert into active_storage_blobs (
    id,
    key,
    filename,
    content_type,
    metadata,
    service_name,
    byte_size,
    checksum,
    created_at
)
select
    series.id,
    substr(md5('blob ' || series.id) || md5('key ' || series.id), 1, 28),
    case
        when series.id % 44 = 7 then 'شهادة الخبرة.pdf'
        when series.id % 44 = 8 then E'scan "final", v2.pdf'
        when series.id % 44 = 9 then E'line\nbreak.png'
        when series.id > demo_size.originals then 'thumbnail.webp'
        else 'file-' || series.id || '.pdf'
    end,
    case
        when series.id % 29 = 5 then null
        when series.id > demo_size.originals then 'image/webp'
        else 'application/pdf'
    end,
    case when series.id % 3 > 0 then '{"identified":true,"analyzed":true}' end,
    case when series.id % 10 = 1 then 'amazon_legacy' else 'amazon' end,
    500 + pg_temp.pick(series.id, 101, 3000000),
    case
        when series.id % 36 = 10 then null
        when series.id % 36 = 11 then ''
        else encode(decode(md5('content ' || series.id), 'hex'), 'base64')
    end,
    pg_temp.moment(series.id, demo_size.originals + demo_size.variants)
from demo_size
cross join lateral generate_series(1, (demo_size.originals + demo_size.variants)::bigint) as series (id);

insert into active_storage_variant_records (id, blob_id, variation_digest)
select
    series.id,
    1 + (series.id - 1) % demo_size.originals,
    encode(decode(md5('variation ' || series.id), 'hex'), 'base64')
from demo_size
cross join lateral generate_series(1, demo_size.variants::bigint) as series (id);

insert into active_storage_attachments (id, name, record_type, record_id, blob_id, created_at)
select
    row_number() over (order by attachment.blob_id, attachment.record_type, attachment.record_id),
    attachment.name,
    attachment.record_type,
    attachment.record_id,
    attachment.blob_id,
    pg_temp.moment(attachment.blob_id, demo_size.originals + demo_size.variants) + interval '1 second'
from demo_size
cross join lateral (
    -- Files that were uploaded and never attached are left out.
    select
        owner.name,
        owner.record_type,
        case
            when original.id % 63 = 8 then 900000000 + original.id
            else 1 + pg_temp.pick(
                original.id,
                112,
                case owner.record_type
                    when 'ExamReservation' then demo_size.reservations
                    when 'Certificate' then demo_size.certificates
                    when 'Invoice' then demo_size.invoices
                    when 'TestCenter' then demo_size.test_centers
                    else demo_size.labors
                end
            )
        end as record_id,
        original.id as blob_id
    from generate_series(1, demo_size.originals::bigint) as original (id)
    join (
        values
            (0, 'passport_scan', 'Labor'),
            (1, 'photo', 'Labor'),
            (2, 'admission_card', 'ExamReservation'),
            (3, 'pdf', 'Certificate'),
            (4, 'receipt', 'Invoice'),
            (5, 'id_card', 'Worker'),
            (6, 'floor_plan', 'TestCenter')
    ) as owner (number, name, record_type) on owner.number = pg_temp.pick(original.id, 111, 7)
    where original.id % 31 <> 4
    union all
    -- The same file, attached twice.
    select
        'experience_letter',
        'Labor',
        1 + pg_temp.pick(shared.id, 113, demo_size.labors),
        shared.id
    from generate_series(1, demo_size.originals::bigint) as shared (id)
    where shared.id % 16 = 9
    union all
    select
        'image',
        'ActiveStorage::VariantRecord',
        variant.id,
        demo_size.originals + variant.id
    from generate_series(1, demo_size.variants::bigint) as variant (id)
) as attachment;

select
    setval('occupation_categories_id_seq', (select max(category.id) + 1000 from occupation_categories as category)),
    setval('occupations_id_seq', (select max(occupation.id) + 1000 from occupations as occupation)),
    setval('test_centers_id_seq', (select max(test_center.id) + 1000 from test_centers as test_center)),
    setval('users_id_seq', (select max(member.id) + 1000 from users as member)),
    setval('labors_id_seq', (select max(labor.id) + 1000 from labors as labor)),
    setval('exam_sessions_id_seq', (select max(session.id) + 1000 from exam_sessions as session)),
    setval('exam_reservations_id_seq', (select max(reservation.id) + 1000 from exam_reservations as reservation)),
    setval('exam_results_id_seq', (select max(result.id) + 1000 from exam_results as result)),
    setval('certificates_id_seq', (select max(certificate.id) + 1000 from certificates as certificate)),
    setval('invoices_id_seq', (select max(invoice.id) + 1000 from invoices as invoice)),
    setval('payments_id_seq', (select max(payment.id) + 1000 from payments as payment)),
    setval('versions_id_seq', (select max(version.id) + 1000 from versions as version)),
    setval('active_storage_blobs_id_seq', (select max(blob.id) + 1000 from active_storage_blobs as blob)),
    setval('active_storage_attachments_id_seq', (select max(attachment.id) + 1000 from active_storage_attachments as attachment)),
    setval('active_storage_variant_records_id_seq', (select max(variant.id) + 1000 from active_storage_variant_records as variant));

drop table demo_words;
drop table demo_size;

analyze;
