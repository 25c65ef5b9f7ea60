-- Documents: one row each, small; what is big or grows (bodies, bytes, events) stands beside it.

-- finished_at: when a file had been read to its end; null while it is read, or since it was cut off.
CREATE TABLE batches (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    source text,
    total bigint,
    paused_at timestamptz,
    cancelled_at timestamptz,
    finished_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT fmgo_now()
);

CREATE TABLE document_states (
    state text PRIMARY KEY
);
CREATE TABLE document_transitions (
    from_state text NOT NULL,
    to_state text NOT NULL REFERENCES document_states (state),
    PRIMARY KEY (from_state, to_state)
);
INSERT INTO document_states VALUES
    ('received'), ('waiting'), ('invalid'), ('cancelled'), ('numbered'), ('signed'), ('withdrawn'), ('enveloped'),
    ('accepted'), ('accepted_with_repairs'), ('rejected'), ('conflict'), ('quarantined'), ('imported');
INSERT INTO document_transitions VALUES
    ('', 'received'), ('', 'imported'),
    ('received', 'numbered'), ('received', 'waiting'), ('received', 'invalid'), ('received', 'cancelled'),
    ('received', 'quarantined'), ('waiting', 'received'), ('waiting', 'cancelled'),
    ('numbered', 'signed'), ('numbered', 'quarantined'), ('numbered', 'withdrawn'),
    ('signed', 'enveloped'), ('signed', 'quarantined'), ('signed', 'withdrawn'),
    ('enveloped', 'signed'), ('enveloped', 'accepted'), ('enveloped', 'accepted_with_repairs'),
    ('enveloped', 'rejected'), ('enveloped', 'conflict'),
    ('conflict', 'accepted'), ('conflict', 'rejected'),
    ('accepted', 'accepted_with_repairs'),
    ('quarantined', 'received'), ('quarantined', 'numbered'), ('quarantined', 'signed'),
    ('quarantined', 'cancelled'), ('quarantined', 'withdrawn');

-- due_at: when a phase should look at the row; null when nothing is to be done. A claim moves it to the lease's end,
-- so that claimed rows leave the front of the index, and takes a fence that every later update checks.
-- suspect: size of the chunk whose worker died with this row in it; such rows are claimed apart, in halves.
-- send_by: when the SII should have it at the latest; what waits is sent in this order.
-- half: the half of an envelope refused for its schema in which it is tried again, until that is sealed.
-- claim: what its receiver said of it ({"state", "events"}), once something is known.
-- version/published_version: a difference is a result that has not been told.
CREATE TABLE documents (
    id uuid PRIMARY KEY,
    issuer rut NOT NULL,
    environment sii_environment NOT NULL,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    attempt smallint NOT NULL DEFAULT 1,
    body_hash bytea NOT NULL CHECK (length(body_hash) = 32),
    lane text NOT NULL CHECK (lane IN ('interactive', 'bulk')),
    batch uuid,
    branch text,
    till text,
    replaces uuid,
    received_at timestamptz NOT NULL DEFAULT fmgo_now(),
    state text NOT NULL DEFAULT 'received' REFERENCES document_states (state),
    due_at timestamptz,
    fence bigint NOT NULL DEFAULT 0,
    lease_owner bigint,
    suspect smallint,
    deaths smallint NOT NULL DEFAULT 0,
    held text,
    depends_on uuid,
    document_type smallint,
    folio bigint,
    caf bigint REFERENCES cafs (id),
    issued_on date,
    receiver text,
    total numeric(22, 4),
    net bigint,
    exempt numeric(22, 4),
    vat bigint,
    signature_value text,
    problems jsonb,
    warnings jsonb,
    verdict jsonb,
    claim jsonb,
    envelope uuid,
    half uuid,
    signed_at timestamptz,
    send_by timestamptz,
    evidenced_at timestamptz,
    decided_at timestamptz,
    version integer NOT NULL DEFAULT 0,
    published_version integer NOT NULL DEFAULT 0,
    UNIQUE (issuer, environment, key, attempt),
    UNIQUE (id, received_at),
    CHECK (caf IS NOT NULL AND folio IS NOT NULL AND state <> 'imported'
           OR caf IS NULL AND (folio IS NOT NULL) = (state = 'imported')),
    CHECK (state NOT IN ('numbered', 'signed', 'withdrawn', 'enveloped', 'accepted', 'rejected') OR folio IS NOT NULL)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX documents_folio ON documents (issuer, environment, document_type, folio) WHERE folio IS NOT NULL;
CREATE INDEX documents_due ON documents (lane, state, issuer, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX documents_suspect ON documents (lane, state, due_at) WHERE suspect IS NOT NULL;
CREATE INDEX documents_leased ON documents (lease_owner) WHERE lease_owner IS NOT NULL;
CREATE INDEX documents_envelope ON documents (envelope) WHERE envelope IS NOT NULL;
CREATE INDEX documents_half ON documents (half) WHERE half IS NOT NULL;
CREATE INDEX documents_depends_on ON documents (depends_on) WHERE depends_on IS NOT NULL;
CREATE UNIQUE INDEX documents_replaces ON documents (replaces)
    WHERE replaces IS NOT NULL AND state NOT IN ('rejected', 'withdrawn');
CREATE INDEX documents_replaced ON documents (replaces) WHERE replaces IS NOT NULL;
CREATE INDEX documents_waiting ON documents (issuer, environment, document_type) WHERE state = 'waiting';
CREATE INDEX documents_batch ON documents (batch, state) WHERE batch IS NOT NULL;
CREATE INDEX documents_untold ON documents (id) WHERE published_version < version;

-- What each note changes, written with its folio: the documents it names, known to this ledger or not, and its CodRef
-- (1 annuls, 2 corrects text, 3 corrects amounts).
CREATE TABLE note_changes (
    note uuid NOT NULL REFERENCES documents (id),
    position smallint NOT NULL,
    issuer rut NOT NULL,
    environment sii_environment NOT NULL,
    document_type smallint NOT NULL,
    folio bigint NOT NULL,
    code smallint NOT NULL CHECK (code IN (1, 2, 3)),
    PRIMARY KEY (note, position)
);
CREATE INDEX note_changes_changed ON note_changes (issuer, environment, document_type, folio);

-- Documents that were withdrawn with their folio, and why. Only when the second copy says so too is it told: after a
-- restore the evidence would bring the document back.
CREATE TABLE withdrawals (
    document_id uuid PRIMARY KEY REFERENCES documents (id),
    at timestamptz NOT NULL DEFAULT fmgo_now(),
    actor text NOT NULL,
    reason text NOT NULL,
    evidenced_at timestamptz
);
CREATE INDEX withdrawals_unevidenced ON withdrawals (at) WHERE evidenced_at IS NULL;

-- A result is due when the ledger knows more than was told; what leaves is evidenced or has no bytes.
CREATE VIEW results_due AS
    SELECT id, version FROM documents
    WHERE published_version < version AND (signature_value IS NULL OR evidenced_at IS NOT NULL)
      AND (state <> 'withdrawn' OR NOT EXISTS (
          SELECT FROM withdrawals w WHERE w.document_id = id AND w.evidenced_at IS NULL));

CREATE TABLE inbox (
    document_id uuid PRIMARY KEY REFERENCES documents (id),
    body bytea NOT NULL,
    context jsonb NOT NULL DEFAULT '{}',
    received_at timestamptz NOT NULL DEFAULT fmgo_now()
);

-- What came and is no job, or came under a key that already has another body.
CREATE TABLE refused_messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT fmgo_now(),
    source text NOT NULL,
    code text NOT NULL,
    reason text NOT NULL,
    -- The message as it came; of one that is too large to be read, its beginning.
    body bytea NOT NULL,
    -- Bytes and SHA-256 (hex) of the whole: its sender looks for the answer under the latter.
    size bigint NOT NULL,
    digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    issuer text,
    environment text,
    key text,
    document_id uuid,
    problems jsonb NOT NULL DEFAULT '[]',
    -- Other names that the answer stands under, such as a Celery client's id of its task.
    names text[] NOT NULL DEFAULT '{}',
    -- When its sender's answer was put where it looks (or was given on the spot); when a person put it through again.
    told_at timestamptz,
    retried_at timestamptz
);
CREATE INDEX refused_messages_key ON refused_messages (issuer, environment, key);
CREATE INDEX refused_messages_untold ON refused_messages (id) WHERE told_at IS NULL;

CREATE SEQUENCE document_events_id;
CREATE TABLE document_events (
    id bigint NOT NULL DEFAULT nextval('document_events_id'),
    at timestamptz NOT NULL DEFAULT fmgo_now(),
    document_id uuid NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    worker bigint,
    detail jsonb,
    PRIMARY KEY (id, at),
    FOREIGN KEY (from_state, to_state) REFERENCES document_transitions (from_state, to_state)
) PARTITION BY RANGE (at);
CREATE INDEX document_events_document ON document_events (document_id, id);
CREATE TABLE document_events_default PARTITION OF document_events DEFAULT;

-- One set of bytes for ever: the key holds the document's own received_at, so it is unique across partitions.
CREATE TABLE document_files (
    document_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('dte', 'ted')),
    received_at timestamptz NOT NULL,
    bytes bytea NOT NULL,
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    made_at timestamptz NOT NULL DEFAULT fmgo_now(),
    PRIMARY KEY (document_id, kind, received_at),
    FOREIGN KEY (document_id, received_at) REFERENCES documents (id, received_at)
) PARTITION BY RANGE (received_at);
CREATE TABLE document_files_default PARTITION OF document_files DEFAULT;

CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP;
END $$;
CREATE TRIGGER document_events_append_only BEFORE UPDATE OR DELETE ON document_events
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER document_files_append_only BEFORE UPDATE OR DELETE ON document_files
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION append_only();
