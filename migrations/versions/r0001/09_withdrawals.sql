-- Taking a job back: what has no folio yet is cancelled; what has one and surely never left is withdrawn, its folio void.

-- Whether the SII may have seen a document: some envelope of it was sent, or an attempt didn't surely fail.
CREATE FUNCTION fmgo_may_have_left(document uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM envelope_documents b JOIN envelopes e ON e.id = b.envelope
        WHERE b.document_id = document
          AND (e.sent_at IS NOT NULL OR e.state IN ('sending', 'uncertain', 'sent', 'processed')
               OR EXISTS (SELECT FROM envelope_attempts a
                          WHERE a.envelope = e.id AND a.outcome IS DISTINCT FROM 'not_received')))
$$;

-- Outcome: cancelled | withdrawn | known (it was before) | unknown | no_reason (it has a folio, which is void for a
-- reason) | busy (a process has it in its hands: ask again) | too_late. Whoever has a document in his hands has its lease
-- or its row; so the row is locked first, and everything below is judged by what stands there then.
CREATE FUNCTION fmgo_cancel(document uuid, reason text, actor text) RETURNS TABLE (outcome text, state text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    d documents%ROWTYPE;
    goal text;
BEGIN
    IF (SELECT replayed_at IS NULL FROM ledger_epoch) THEN
        RAISE EXCEPTION 'the ledger was restored and its evidence has not been replayed yet: intake is shut'
            USING ERRCODE = 'FM001';
    END IF;
    SELECT * INTO d FROM documents WHERE id = $1 FOR UPDATE;
    outcome := CASE
        WHEN d.id IS NULL THEN 'unknown'
        WHEN d.state IN ('cancelled', 'withdrawn') THEN 'known'
        WHEN d.state NOT IN ('received', 'waiting', 'numbered', 'signed', 'quarantined', 'enveloped') THEN 'too_late'
        WHEN d.lease_owner IS NOT NULL THEN 'busy'
        WHEN d.folio IS NULL THEN 'cancelled'
        WHEN d.state = 'signed' AND d.evidenced_at IS NULL THEN 'busy'
        WHEN d.half IS NOT NULL OR fmgo_may_have_left(d.id) THEN 'too_late'
        WHEN coalesce(btrim($2), '') = '' THEN 'no_reason'
        ELSE 'withdrawn' END;
    IF outcome = 'withdrawn' AND d.state = 'enveloped' THEN
        outcome := fmgo_unseal(d.envelope, d.id);
        d.state := 'signed';
    END IF;
    IF outcome NOT IN ('cancelled', 'withdrawn') THEN
        state := (SELECT x.state FROM documents x WHERE x.id = $1);
        RETURN NEXT;
        RETURN;
    END IF;
    goal := outcome;
    UPDATE documents x
    SET state = goal, held = NULL, problems = NULL, due_at = NULL, suspect = NULL, decided_at = fmgo_now(),
        version = x.version + 1
    WHERE x.id = d.id;
    INSERT INTO document_events (document_id, from_state, to_state, detail)
    VALUES (d.id, d.state, goal, jsonb_strip_nulls(jsonb_build_object('actor', $3, 'reason', $2)));
    INSERT INTO audit_log (actor, action, subject, detail)
    VALUES ($3, 'document.cancel', d.id::text,
            jsonb_strip_nulls(jsonb_build_object('state', goal, 'reason', $2, 'role', session_user)));
    IF goal = 'withdrawn' THEN
        INSERT INTO withdrawals (document_id, actor, reason) VALUES (d.id, $3, $2);
        INSERT INTO folio_voids (issuer, environment, document_type, first, last, reason, document_id)
        VALUES (d.issuer, d.environment, d.document_type, d.folio, d.folio, $2, d.id);
        -- Notes that wait for it wait in vain.
        UPDATE documents n SET held = 'reference-rejected', version = n.version + 1
        WHERE n.depends_on = d.id AND n.state = 'signed' AND n.held = 'reference';
    END IF;
    state := goal;
    RETURN NEXT;
END $$;

-- Take an envelope apart that surely was never received: it is refused, and its documents are signed and due again.
-- Answers `withdrawn`, or `busy` when a process has it in its hands. SKIP LOCKED: who has an envelope may want documents.
CREATE FUNCTION fmgo_unseal(envelope uuid, document uuid) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM envelopes e
    WHERE e.id = $1 AND e.state = 'sealed' AND e.lease_owner IS NULL AND e.half IS NULL AND e.evidenced_at IS NOT NULL
    FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 'busy';
    END IF;
    UPDATE envelopes e SET state = 'refused', due_at = NULL, decided_at = fmgo_now(), released_at = fmgo_now()
    WHERE e.id = $1;
    INSERT INTO envelope_events (envelope, from_state, to_state, detail)
    VALUES ($1, 'sealed', 'refused', jsonb_build_object('reason', 'a document was withdrawn', 'document', $2));
    PERFORM FROM documents d WHERE d.envelope = $1 AND d.state = 'enveloped' ORDER BY d.id FOR UPDATE;
    WITH back AS (
        UPDATE documents d SET state = 'signed', envelope = NULL, due_at = fmgo_now()
        WHERE d.envelope = $1 AND d.state = 'enveloped'
        RETURNING d.id
    )
    INSERT INTO document_events (document_id, from_state, to_state, detail)
    SELECT id, 'enveloped', 'signed', jsonb_build_object('reason', 'its envelope was taken apart', 'envelope', $1)
    FROM back;
    RETURN 'withdrawn';
END $$;
