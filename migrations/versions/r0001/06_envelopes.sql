-- Envelopes and every attempt to send them. An answer that comes late is kept: attempts are rows, and an envelope may
-- have several track ids.

CREATE TABLE envelope_states (
    state text PRIMARY KEY
);
CREATE TABLE envelope_transitions (
    from_state text NOT NULL,
    to_state text NOT NULL REFERENCES envelope_states (state),
    PRIMARY KEY (from_state, to_state)
);
INSERT INTO envelope_states VALUES ('sealed'), ('sending'), ('uncertain'), ('sent'), ('processed'), ('refused');
INSERT INTO envelope_transitions VALUES
    ('', 'sealed'),
    ('sealed', 'sending'), ('sealed', 'refused'),
    ('sending', 'sent'), ('sending', 'sealed'), ('sending', 'uncertain'), ('sending', 'refused'),
    ('uncertain', 'sending'), ('uncertain', 'sent'), ('uncertain', 'processed'), ('uncertain', 'refused'),
    ('sent', 'processed'), ('sent', 'refused');

-- silence: the service of the SII whose silence alone put it off; it is due at once when that answers again.
CREATE TABLE envelopes (
    id uuid PRIMARY KEY,
    issuer rut NOT NULL,
    environment sii_environment NOT NULL,
    channel text NOT NULL CHECK (channel IN ('soap', 'rest')),
    lane text NOT NULL CHECK (lane IN ('interactive', 'bulk')),
    state text NOT NULL DEFAULT 'sealed' REFERENCES envelope_states (state),
    sender rut NOT NULL REFERENCES persons (rut),
    certificate bigint NOT NULL REFERENCES certificates (id),
    documents integer NOT NULL CHECK (documents > 0),
    resolution_number integer NOT NULL,
    resolution_date date NOT NULL,
    filename text NOT NULL,
    bytes bytea NOT NULL,
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    sealed_at timestamptz NOT NULL DEFAULT fmgo_now(),
    send_by timestamptz NOT NULL,
    evidenced_at timestamptz,
    due_at timestamptz,
    silence text,
    fence bigint NOT NULL DEFAULT 0,
    lease_owner bigint,
    attempts integer NOT NULL DEFAULT 0,
    polls integer NOT NULL DEFAULT 0,
    last_attempt_at timestamptz,
    track_id text,
    sent_at timestamptz,
    sent_told_at timestamptz,
    sii_state text,
    verdict jsonb,
    alert text,
    decided_at timestamptz,
    released_at timestamptz,
    half uuid,
    FOREIGN KEY (issuer, environment) REFERENCES issuers (rut, environment)
) WITH (fillfactor = 80);
CREATE INDEX envelopes_due ON envelopes (state, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX envelopes_open ON envelopes (issuer, environment, channel) WHERE state IN ('sealed', 'sending', 'uncertain');
CREATE INDEX envelopes_leased ON envelopes (lease_owner) WHERE lease_owner IS NOT NULL;
-- Sent envelopes whose documents' producers weren't told so: one mark an envelope, none a document.
CREATE INDEX envelopes_untold ON envelopes (sent_at) WHERE sent_at IS NOT NULL AND sent_told_at IS NULL;
CREATE INDEX envelopes_silence ON envelopes (environment, silence) WHERE silence IS NOT NULL;
CREATE INDEX envelopes_track ON envelopes (track_id) WHERE track_id IS NOT NULL;
ALTER TABLE documents ADD FOREIGN KEY (envelope) REFERENCES envelopes (id);

-- Halves of envelopes that were refused for their schema, tried by themselves until the culprit stands alone. `origin` is
-- the envelope that was whole; `refused` the one that this is a half of; `depth` how often it was halved.
CREATE TABLE envelope_halves (
    id uuid PRIMARY KEY,
    origin uuid NOT NULL REFERENCES envelopes (id),
    refused uuid NOT NULL REFERENCES envelopes (id),
    depth integer NOT NULL CHECK (depth > 0),
    documents integer NOT NULL CHECK (documents > 0),
    made_at timestamptz NOT NULL DEFAULT fmgo_now()
);
CREATE INDEX envelope_halves_origin ON envelope_halves (origin);
CREATE INDEX envelopes_sent ON envelopes (issuer, environment, channel, sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX envelopes_half ON envelopes (half) WHERE half IS NOT NULL;
ALTER TABLE envelopes ADD FOREIGN KEY (half) REFERENCES envelope_halves (id);
ALTER TABLE documents ADD FOREIGN KEY (half) REFERENCES envelope_halves (id);

-- Which documents travelled in which envelope, for ever (documents.envelope is only the present one).
CREATE TABLE envelope_documents (
    envelope uuid NOT NULL REFERENCES envelopes (id),
    document_id uuid NOT NULL REFERENCES documents (id),
    position integer NOT NULL,
    PRIMARY KEY (envelope, document_id)
);
CREATE INDEX envelope_documents_document ON envelope_documents (document_id);

CREATE SEQUENCE envelope_events_id;
CREATE TABLE envelope_events (
    id bigint NOT NULL DEFAULT nextval('envelope_events_id'),
    at timestamptz NOT NULL DEFAULT fmgo_now(),
    envelope uuid NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    worker bigint,
    detail jsonb,
    PRIMARY KEY (id, at),
    FOREIGN KEY (from_state, to_state) REFERENCES envelope_transitions (from_state, to_state)
) PARTITION BY RANGE (at);
CREATE INDEX envelope_events_envelope ON envelope_events (envelope, id);
CREATE TABLE envelope_events_default PARTITION OF envelope_events DEFAULT;
CREATE TRIGGER envelope_events_append_only BEFORE UPDATE OR DELETE ON envelope_events
    FOR EACH ROW EXECUTE FUNCTION append_only();

-- outcome null: still open, or its worker died with it.
CREATE SEQUENCE envelope_attempts_id;
CREATE TABLE envelope_attempts (
    id bigint NOT NULL DEFAULT nextval('envelope_attempts_id'),
    started_at timestamptz NOT NULL DEFAULT fmgo_now(),
    envelope uuid NOT NULL,
    number integer NOT NULL,
    worker bigint NOT NULL,
    address text NOT NULL,
    deadline_seconds double precision NOT NULL,
    ended_at timestamptz,
    outcome text,
    http_status integer,
    sii_status text,
    track_id text,
    detail text,
    answer bytea,
    PRIMARY KEY (id, started_at)
) PARTITION BY RANGE (started_at);
CREATE INDEX envelope_attempts_envelope ON envelope_attempts (envelope, number);
CREATE TABLE envelope_attempts_default PARTITION OF envelope_attempts DEFAULT;
