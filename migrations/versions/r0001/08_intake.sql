-- Recording jobs: the only way in, for producers, the inbox reader and batch import alike.

CREATE TYPE fmgo_job AS (
    ordinal integer,
    issuer text,
    environment text,
    key text,
    body_hash bytea,
    lane text,
    branch text,
    till text,
    batch uuid,
    body bytea,
    context jsonb
);

-- The same 16 bytes as domain.job.document_id.
CREATE FUNCTION fmgo_document_id(environment text, issuer text, attempt integer, key text) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT encode(substring(sha256(convert_to(environment || E'\n' || issuer || E'\n' || attempt || E'\n' || key, 'UTF8'))
                  FROM 1 FOR 16), 'hex')::uuid
$$;

-- Outcome of each job: recorded | known (same key, same body) | conflict (same key, another body; kept among the
-- refused messages). A key whose last document ended invalid, cancelled or withdrawn may come again with another body.
-- Keys are inserted in sorted order, so that two callers with the same keys never wait for each other in a circle.
CREATE FUNCTION fmgo_enqueue(jobs fmgo_job[], source text DEFAULT 'producer')
RETURNS TABLE (ordinal integer, document_id uuid, outcome text, state text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    fresh uuid[];
BEGIN
    IF (SELECT replayed_at IS NULL FROM ledger_epoch) THEN
        RAISE EXCEPTION 'the ledger was restored and its evidence has not been replayed yet: intake is shut'
            USING ERRCODE = 'FM001';
    END IF;
    WITH incoming AS (
        SELECT DISTINCT ON (j.environment, j.issuer, j.key) j.*
        FROM unnest(jobs) j
        ORDER BY j.environment, j.issuer, j.key, j.ordinal
    ), planned AS (
        SELECT i.*, coalesce(last.attempt, 0) + 1 AS attempt
        FROM incoming i
        LEFT JOIN LATERAL (
            SELECT d.attempt, d.body_hash, d.state FROM documents d
            WHERE d.issuer = i.issuer AND d.environment = i.environment AND d.key = i.key
            ORDER BY d.attempt DESC LIMIT 1
        ) last ON true
        WHERE last.attempt IS NULL OR (last.body_hash <> i.body_hash AND last.state IN ('invalid', 'cancelled', 'withdrawn'))
    ), born AS (
        INSERT INTO documents (id, issuer, environment, key, attempt, body_hash, lane, branch, till, batch, due_at)
        SELECT fmgo_document_id(environment, issuer, attempt, key), issuer, environment, key, attempt, body_hash, lane,
               branch, till, batch, fmgo_now()
        FROM planned
        ORDER BY environment, issuer, key
        ON CONFLICT DO NOTHING
        RETURNING id
    ), stored AS (
        INSERT INTO inbox (document_id, body, context)
        SELECT b.id, p.body, coalesce(p.context, '{}')
        FROM born b JOIN planned p ON fmgo_document_id(p.environment, p.issuer, p.attempt, p.key) = b.id
    ), told AS (
        INSERT INTO document_events (document_id, from_state, to_state)
        SELECT id, '', 'received' FROM born
    )
    SELECT coalesce(array_agg(id), '{}') INTO fresh FROM born;

    RETURN QUERY
    WITH answered AS (
        SELECT j.ordinal, j.issuer, j.environment, j.key, j.body, last.id, last.state,
               CASE WHEN last.body_hash IS DISTINCT FROM j.body_hash THEN 'conflict'
                    WHEN last.id = ANY (fresh)
                         AND row_number() OVER (PARTITION BY j.environment, j.issuer, j.key ORDER BY j.ordinal) = 1
                    THEN 'recorded' ELSE 'known' END AS outcome
        FROM unnest(jobs) j
        LEFT JOIN LATERAL (
            SELECT d.id, d.body_hash, d.state FROM documents d
            WHERE d.issuer = j.issuer AND d.environment = j.environment AND d.key = j.key
            ORDER BY d.attempt DESC LIMIT 1
        ) last ON true
    ), kept AS (
        INSERT INTO refused_messages (source, code, reason, body, size, digest, issuer, environment, key, document_id,
                                      told_at)
        SELECT source, 'JOB-KEY-CONFLICT',
               'This idempotency key already belongs to a job with another content; use a new key for a new sale.',
               body, length(body), encode(sha256(body), 'hex'), issuer, environment, key, id,
               -- Who handed it in by a call has its answer; who put it on a list looks for one.
               CASE WHEN source NOT IN ('list', 'celery') THEN fmgo_now() END
        FROM answered WHERE outcome = 'conflict'
    )
    SELECT a.ordinal, a.id, a.outcome, a.state FROM answered a ORDER BY a.ordinal;
END $$;

-- What the ledger answers for ever. `result` has the shape of the result that Redis carries. A folio is shown only when
-- it is durable twice (law: two copies before anyone sees it); until then the document is still `received`, and one that
-- was withdrawn still what it was. A document that was imported has its other copy where it came from.
-- An enveloped document is shown as `sent` from its envelope's receipt on. That counts as a version, and costs no update
-- of documents; whoever takes a document out of a sent envelope makes up for it.
CREATE VIEW document_results AS
    SELECT d.id, shown.version, d.lane, d.issuer, d.environment, d.key, shown.state,
           jsonb_strip_nulls(jsonb_build_object(
               'id', d.id, 'issuer', d.issuer, 'environment', d.environment, 'idempotency_key', d.key,
               'attempt', d.attempt, 'version', shown.version, 'state', shown.state, 'type', d.document_type,
               'folio', shown.folio, 'total', trim_scale(d.total), 'issued_on', d.issued_on, 'receiver', d.receiver,
               'held', d.held, 'problems', d.problems, 'warnings', d.warnings, 'verdict', d.verdict,
               'claim', d.claim->'state', 'claim_events', d.claim->'events',
               'batch', d.batch, 'replaces', d.replaces, 'withdrawn_for', shown.reason,
               'signed_at', shown.signed_at, 'sent_at', e.sent_at, 'track_id', e.track_id,
               'decided_at', d.decided_at)) AS result
    FROM documents d
    LEFT JOIN envelopes e ON e.id = d.envelope
    LEFT JOIN withdrawals w ON d.state = 'withdrawn' AND w.document_id = d.id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN d.evidenced_at IS NULL AND d.state IN ('numbered', 'signed') THEN 'received'
                    WHEN d.state = 'enveloped' AND e.sent_at IS NOT NULL THEN 'sent'
                    WHEN d.state = 'withdrawn' AND w.evidenced_at IS NULL
                        THEN CASE WHEN d.evidenced_at IS NULL THEN 'received' ELSE 'signed' END
                    ELSE d.state END AS state,
               d.version + CASE WHEN e.sent_at IS NULL THEN 0 ELSE 1 END AS version,
               CASE WHEN w.evidenced_at IS NOT NULL THEN w.reason END AS reason,
               CASE WHEN d.evidenced_at IS NOT NULL OR d.state = 'imported' THEN d.folio END AS folio,
               CASE WHEN d.evidenced_at IS NOT NULL THEN d.signed_at END AS signed_at
    ) shown;

CREATE FUNCTION fmgo_results(ids uuid[]) RETURNS TABLE (id uuid, version integer, state text, result jsonb, xml bytea, ted bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.id, r.version, r.state, r.result, dte.bytes, ted.bytes
    FROM documents d
    JOIN document_results r ON r.id = d.id
    LEFT JOIN document_files dte
        ON dte.document_id = d.id AND dte.received_at = d.received_at AND dte.kind = 'dte'
        AND (d.evidenced_at IS NOT NULL OR d.state = 'imported') AND d.state <> 'withdrawn'
    LEFT JOIN document_files ted
        ON ted.document_id = d.id AND ted.received_at = d.received_at AND ted.kind = 'ted'
        AND (d.evidenced_at IS NOT NULL OR d.state = 'imported') AND d.state <> 'withdrawn'
    WHERE d.id = ANY (ids)
$$;

CREATE FUNCTION fmgo_find(issuer text, environment text, key text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.id FROM documents d
    WHERE d.issuer = $1 AND d.environment = $2 AND d.key = $3 ORDER BY d.attempt DESC LIMIT 1
$$;
