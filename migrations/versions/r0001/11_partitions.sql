-- Months are made ahead, by the sweep and by whoever moves the clock. A default partition with rows would block adding
-- its month: it stays empty, and a row in it is an alarm.

-- With its owner's rights: workers call it, and they own no table.
CREATE FUNCTION fmgo_make_partitions(first_moment timestamptz, last_moment timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    parent text;
    month date;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('fmgo_make_partitions'));
    month := date_trunc('month', first_moment AT TIME ZONE 'UTC')::date;
    WHILE month <= (last_moment AT TIME ZONE 'UTC')::date LOOP
        FOREACH parent IN ARRAY ARRAY['document_events', 'document_files', 'envelope_events', 'envelope_attempts',
                                      'sii_exchanges'] LOOP
            IF to_regclass(format('%I', parent || to_char(month, '_YYYYMM'))) IS NULL THEN
                EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                               parent || to_char(month, '_YYYYMM'), parent,
                               month::text || ' 00:00:00+00', (month + interval '1 month')::date::text || ' 00:00:00+00');
                made := made + 1;
            END IF;
        END LOOP;
        month := (month + interval '1 month')::date;
    END LOOP;
    RETURN made;
END $$;
SELECT fmgo_make_partitions(fmgo_now() - interval '1 month', fmgo_now() + interval '3 months');

CREATE FUNCTION fmgo_move_clock(by_how_much interval) RETURNS timestamptz LANGUAGE plpgsql AS $$
BEGIN
    PERFORM fmgo_make_partitions(fmgo_now(), fmgo_now() + by_how_much + interval '3 months');
    UPDATE clock_offset SET by = by + by_how_much;
    RETURN fmgo_now();
END $$;
