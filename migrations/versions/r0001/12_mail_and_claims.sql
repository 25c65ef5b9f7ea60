-- What comes after a verdict: the SII's result mails, which say why, and what receivers say of a document.

-- Where a company's result mails arrive. `address` is a folder's path, or imaps://user@host[:port]/mailbox; `secret`
-- (a password, or what XOAUTH2 needs) is sealed. What FMgo has read is remembered here and never in the mailbox:
-- `last_uid` of the mailbox's `uid_validity`, or the names in mail_files_seen.
CREATE TABLE mail_sources (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    issuer rut NOT NULL,
    environment sii_environment NOT NULL,
    kind text NOT NULL CHECK (kind IN ('imap', 'folder')),
    address text NOT NULL,
    auth text NOT NULL DEFAULT 'none' CHECK (auth IN ('none', 'password', 'xoauth2')),
    secret_sealed bytea,
    key_id text,
    forwarders text[] NOT NULL DEFAULT '{}',
    uid_validity bigint,
    last_uid bigint NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT fmgo_now(),
    looked_at timestamptz,
    worked_at timestamptz,
    failures integer NOT NULL DEFAULT 0,
    problem text,
    added_at timestamptz NOT NULL DEFAULT fmgo_now(),
    UNIQUE (issuer, environment, kind, address),
    CHECK ((auth = 'none') = (secret_sealed IS NULL)),
    FOREIGN KEY (issuer, environment) REFERENCES issuers (rut, environment)
);
CREATE INDEX mail_sources_due ON mail_sources (environment, due_at);

CREATE TABLE mail_files_seen (
    source bigint NOT NULL REFERENCES mail_sources (id) ON DELETE CASCADE,
    name text NOT NULL,
    PRIMARY KEY (source, name)
);

-- Mails with a result in them, also those that change nothing. One is known by its bytes, per company.
-- waiting: its documents have no verdict yet. unknown-track: no upload of the company has that track id (yet).
-- told: what it says went to the documents. contradicts: the SII's services say otherwise, and they hold.
CREATE TABLE result_mails (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT fmgo_now(),
    issuer rut NOT NULL,
    environment sii_environment NOT NULL,
    source bigint REFERENCES mail_sources (id) ON DELETE SET NULL,
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    writer text NOT NULL,
    forwarder text,
    subject text NOT NULL,
    track_id text,
    said jsonb,
    bytes bytea NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('waiting', 'unknown-track', 'told', 'contradicts', 'not-the-sii',
                                             'unreadable')),
    note text,
    envelope uuid REFERENCES envelopes (id),
    told_at timestamptz,
    UNIQUE (issuer, environment, sha256),
    FOREIGN KEY (issuer, environment) REFERENCES issuers (rut, environment)
);
CREATE INDEX result_mails_open ON result_mails (environment, at) WHERE outcome IN ('waiting', 'unknown-track');
CREATE INDEX result_mails_track ON result_mails (track_id) WHERE outcome IN ('waiting', 'unknown-track');
CREATE INDEX result_mails_envelope ON result_mails (envelope) WHERE envelope IS NOT NULL;
CREATE INDEX envelope_attempts_track ON envelope_attempts (track_id) WHERE track_id IS NOT NULL;

-- Decided envelopes whose reasons nobody has told yet: the SII is asked for the mail again at `due_at` (null: over).
CREATE TABLE result_mails_wanted (
    envelope uuid PRIMARY KEY REFERENCES envelopes (id),
    environment sii_environment NOT NULL,
    since timestamptz NOT NULL DEFAULT fmgo_now(),
    due_at timestamptz,
    silence text,
    asked integer NOT NULL DEFAULT 0,
    answer text,
    words text
);
CREATE INDEX result_mails_wanted_silence ON result_mails_wanted (environment, silence) WHERE silence IS NOT NULL;
CREATE INDEX result_mails_wanted_due ON result_mails_wanted (environment, due_at) WHERE due_at IS NOT NULL;

-- Accepted documents about which receivers may still say something. `until`: the end of their days; `due_at` null: over.
CREATE TABLE claim_watches (
    document_id uuid PRIMARY KEY REFERENCES documents (id),
    environment sii_environment NOT NULL,
    issuer rut NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    due_at timestamptz,
    silence text,
    asked integer NOT NULL DEFAULT 0,
    asked_at timestamptz,
    answer text,
    words text
);
CREATE INDEX claim_watches_silence ON claim_watches (environment, silence) WHERE silence IS NOT NULL;
CREATE INDEX claim_watches_due ON claim_watches (environment, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX claim_watches_issuer ON claim_watches (environment, issuer, due_at) WHERE due_at IS NOT NULL;

-- What was said of a document, verbatim; `said_at` as the SII writes it, `at` the same as a moment.
CREATE TABLE document_claims (
    document_id uuid NOT NULL REFERENCES documents (id),
    code text NOT NULL,
    by text NOT NULL,
    said_at text NOT NULL,
    words text NOT NULL,
    at timestamptz,
    seen_at timestamptz NOT NULL DEFAULT fmgo_now(),
    PRIMARY KEY (document_id, code, by, said_at)
);
