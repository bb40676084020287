-- The starts at which a visit of type p_visit_type can begin. One function for listing, holding, booking, moving and overbooking,
-- so that what is listed can be booked.
--
-- A start is offered when the visit fits the shift, visit and turnover meet no live claim of the clinician on any lane, the clinic is
-- open, licence and credential hold on that day, a room of the kind, where needed, is free throughout, and the patient is free.
-- A held claim whose time is over counts as free (expiry uses the database's clock, everything else p_now). For a patient the
-- type's ages hold on the local day of the visit, and a type for new or established patients is offered only where they are one:
-- established with a health system is who completed a visit there in the three years before (AMA, CPT Evaluation and Management).
--
-- Everything is a multirange of *starts*: a claim [a, b) forbids the starts (a - taken, b), both ends open, so that nothing is
-- unnested, shrunk and merged again, and a pool of rooms is the union of its rooms' starts. Traps that shaped it:
--   * Time off has no appointment, and NULL IS DISTINCT FROM NULL is false: an exception of nobody must not take time off out.
--   * range_agg over no row is NULL: coalesce to '{}' (claims, closures: nothing forbidden; licences, rooms: nothing allowed).
--   * Per shift, never per clinician: adjacent shifts at two clinics would merge.
--   * `*` binds tighter than `-`: keep the parentheses.
--   * tstzrange(lo, hi) raises when lo > hi: least(). Subtracting (end - duration, ) instead of building [begin, end - duration] is
--     safe for a shift shorter than the visit.
--   * Aggregates in LATERAL, not joins, for licence and credential: joins made planning slow and one plan catastrophic.
--   * The grid steps from the clinic's own midnight. That is right over both changes of the clock, because a step divides 60.
--   * Planning costs more than running: SET plan_cache_mode plans once a connection (PostgreSQL 18), jit is never worth it here.
--
-- (date + years) lands on 28 February for a 29th; who was born then has their birthday on 1 March, as Patient.age_on has it.
--
-- Window, per clinic: from p_from (absolute) or the first of p_days local days beginning with p_first_day (null: the local day of
-- p_asked_at), until p_until or the end of those days, within the type's notice, which p_any_notice (staff) leaves out.
-- p_after_*: the last row of the page before; rows come in the order (start, metres, clinic, clinician).
-- p_overbook: other visits of the clinician do not matter, time off does. p_except: a visit about to be moved.
CREATE FUNCTION free_starts(
    p_visit_type int,
    p_clinics uuid[],
    p_now timestamptz,
    p_asked_at timestamptz,
    p_first_day date DEFAULT NULL,
    p_days int DEFAULT NULL,
    p_from timestamptz DEFAULT '-infinity',
    p_until timestamptz DEFAULT 'infinity',
    p_latitude float8 DEFAULT NULL,
    p_longitude float8 DEFAULT NULL,
    p_clinicians uuid[] DEFAULT NULL,
    p_language text DEFAULT NULL,
    p_gender text DEFAULT NULL,
    p_time_from time DEFAULT NULL,
    p_time_until time DEFAULT NULL,
    p_patient uuid DEFAULT NULL,
    p_except uuid DEFAULT NULL,
    p_any_notice boolean DEFAULT false,
    p_overbook boolean DEFAULT false,
    p_after timestamptz DEFAULT '-infinity',
    p_after_metres int DEFAULT -1,
    p_after_clinic uuid DEFAULT '00000000-0000-0000-0000-000000000000',
    p_after_clinician uuid DEFAULT '00000000-0000-0000-0000-000000000000',
    p_limit int DEFAULT 1000
)
RETURNS TABLE (start timestamptz, metres int, clinic_id uuid, clinician_id uuid, shift_id uuid)
LANGUAGE sql STABLE ROWS 50 SET plan_cache_mode = force_generic_plan SET jit = off
AS $$
WITH kind AS MATERIALIZED (
    SELECT v.id, v.duration, v.turnover, v.duration + v.turnover AS taken, v.step * interval '1 minute' AS grid, v.room_kind,
           v.patients, old.enough AS old_enough, old.too AS too_old,
           CASE WHEN p_any_notice THEN p_now ELSE p_now + v.latest_notice END AS earliest,
           CASE WHEN p_any_notice THEN 'infinity' ELSE p_now + v.earliest_notice END AS latest
    FROM scheduling_visittype v
    LEFT JOIN clinics_patient who ON who.calendar_id = p_patient
    CROSS JOIN LATERAL (
        SELECT (who.birth_date + make_interval(years => v.min_age))::date AS low,
               (who.birth_date + make_interval(years => v.max_age + 1))::date AS high) birthday
    CROSS JOIN LATERAL (
        SELECT birthday.low + (extract(day FROM birthday.low) <> extract(day FROM who.birth_date))::int AS enough,
               birthday.high + (extract(day FROM birthday.high) <> extract(day FROM who.birth_date))::int AS too) old
    WHERE v.id = p_visit_type AND v.is_offered
), own AS MATERIALIZED (
    SELECT coalesce(range_agg(tstzrange(lower(t.during) - kind.duration, upper(t.during), '()')), '{}') AS starts
    FROM kind JOIN scheduling_claim t ON t.calendar_id = p_patient
        AND (t.expires_at IS NULL OR t.expires_at > clock_timestamp()) AND (p_except IS NULL OR t.appointment_id IS DISTINCT FROM p_except)
        AND t.during && tstzrange(p_now, NULL)
), place AS MATERIALIZED (
    SELECT c.id, c.time_zone, c.state, c.health_system_id, day.midnight, win.lo, win.hi, closed.starts AS closed,
           coalesce(metres_between(p_latitude, p_longitude, c.latitude, c.longitude), 0) AS metres,
           CASE WHEN kind.room_kind = '' THEN '{(,)}' ELSE coalesce(rooms.starts, '{}') END AS rooms,
           CASE WHEN p_patient IS NULL OR kind.patients = 'anyone' THEN '{(,)}'
                WHEN kind.patients = 'new' THEN '{(,)}'::tstzmultirange - known.starts
                ELSE known.starts END AS fit
    FROM kind CROSS JOIN clinics_clinic c
    CROSS JOIN LATERAL (
        SELECT coalesce(p_first_day, (p_asked_at AT TIME ZONE c.time_zone)::date) AS first,
               date_trunc('day', p_now, c.time_zone) AS midnight) day
    CROSS JOIN LATERAL (
        SELECT greatest(kind.earliest, p_from, p_after, c.opens_on::timestamp AT TIME ZONE c.time_zone,
                        kind.old_enough::timestamp AT TIME ZONE c.time_zone,
                        CASE WHEN p_days IS NOT NULL THEN day.first::timestamp AT TIME ZONE c.time_zone END) AS lo,
               least(kind.latest, p_until, c.closes_on::timestamp AT TIME ZONE c.time_zone,
                     kind.too_old::timestamp AT TIME ZONE c.time_zone,
                     (day.first + p_days)::timestamp AT TIME ZONE c.time_zone) AS hi) edge
    CROSS JOIN LATERAL (SELECT least(edge.lo, edge.hi) AS lo, edge.hi) win
    CROSS JOIN LATERAL (
        SELECT coalesce(range_agg(tstzrange(lower(x.during) - kind.duration, upper(x.during), '()')), '{}') AS starts
        FROM scheduling_closure x
        WHERE x.clinic_id = c.id AND x.during && tstzrange(win.lo, win.hi + kind.duration)) closed
    CROSS JOIN LATERAL (
        SELECT range_agg('{(,)}'::tstzmultirange - busy.starts) AS starts
        FROM clinics_room r CROSS JOIN LATERAL (
            SELECT coalesce(range_agg(tstzrange(lower(t.during) - kind.duration, upper(t.during), '()')), '{}') AS starts
            FROM scheduling_claim t
            WHERE t.calendar_id = r.calendar_id AND t.during && tstzrange(win.lo, win.hi + kind.duration)
              AND (t.expires_at IS NULL OR t.expires_at > clock_timestamp())
              AND (p_except IS NULL OR t.appointment_id IS DISTINCT FROM p_except)) busy
        WHERE r.clinic_id = c.id AND r.kind = kind.room_kind AND r.in_use) rooms
    CROSS JOIN LATERAL (
        SELECT coalesce(range_agg(tstzrange(a.ends_at, stale.on::timestamp AT TIME ZONE c.time_zone)), '{}') AS starts
        FROM scheduling_appointment a JOIN clinics_clinic past ON past.id = a.clinic_id
        CROSS JOIN LATERAL (SELECT (a.ends_at AT TIME ZONE c.time_zone)::date AS on) seen
        CROSS JOIN LATERAL (SELECT (seen.on + interval '3 years')::date AS on) later
        CROSS JOIN LATERAL (SELECT later.on + (extract(day FROM later.on) <> extract(day FROM seen.on))::int AS on) stale
        WHERE kind.patients <> 'anyone' AND a.patient_id = p_patient AND a.status = 'completed'
          AND a.starts_at > p_now - interval '4 years' AND past.health_system_id = c.health_system_id) known
    WHERE c.id = ANY (p_clinics)
)
SELECT g, place.metres, place.id, s.clinician_id, s.id
FROM kind CROSS JOIN own CROSS JOIN place
JOIN scheduling_shift s ON s.clinic_id = place.id AND s.during && tstzrange(place.lo, place.hi)
    AND kind.id = ANY (s.visit_types) AND (p_clinicians IS NULL OR s.clinician_id = ANY (p_clinicians))
JOIN clinics_clinician d ON d.calendar_id = s.clinician_id
    AND (p_language IS NULL OR d.languages @> ARRAY[p_language]::varchar[]) AND (p_gender IS NULL OR d.gender = p_gender)
CROSS JOIN LATERAL (  -- calendar and during are both index conditions of claim_once; the lane is left open on purpose
    SELECT coalesce(range_agg(tstzrange(lower(t.during) - kind.taken, upper(t.during), '()')), '{}') AS starts
    FROM scheduling_claim t
    WHERE t.calendar_id = s.clinician_id AND t.during && tstzrange(lower(s.during), upper(s.during) + kind.turnover)
      AND (t.expires_at IS NULL OR t.expires_at > clock_timestamp())
      AND (p_except IS NULL OR t.appointment_id IS DISTINCT FROM p_except) AND (t.lane < 0 OR NOT p_overbook)) busy
CROSS JOIN LATERAL (
    SELECT coalesce(range_agg(tstzrange(lower(l.during)::timestamp AT TIME ZONE place.time_zone,
                                        upper(l.during)::timestamp AT TIME ZONE place.time_zone)), '{}') AS starts
    FROM clinics_licence l WHERE l.clinician_id = s.clinician_id AND l.state = place.state) licensed
CROSS JOIN LATERAL (
    SELECT coalesce(range_agg(tstzrange(lower(k.during)::timestamp AT TIME ZONE place.time_zone,
                                        upper(k.during)::timestamp AT TIME ZONE place.time_zone)), '{}') AS starts
    FROM clinics_credential k
    WHERE k.clinician_id = s.clinician_id AND k.health_system_id = place.health_system_id) credentialed
CROSS JOIN LATERAL unnest(
    (tstzmultirange(s.during * tstzrange(place.lo, place.hi))
     - tstzmultirange(tstzrange(upper(s.during) - kind.duration, NULL, '()'))
     - busy.starts - place.closed - own.starts)
    * licensed.starts * credentialed.starts * place.rooms * place.fit) f
CROSS JOIN LATERAL generate_series(
    date_bin(kind.grid, lower(f) + kind.grid - interval '1 microsecond', place.midnight), upper(f), kind.grid) g
WHERE g <@ f
  AND (p_time_from IS NULL OR (g AT TIME ZONE place.time_zone)::time >= p_time_from)
  AND (p_time_until IS NULL OR (g AT TIME ZONE place.time_zone)::time < p_time_until)
  AND (g, place.metres, place.id, s.clinician_id) > (p_after, p_after_metres, p_after_clinic, p_after_clinician)
ORDER BY 1, 2, 3, 4
LIMIT p_limit
$$;
