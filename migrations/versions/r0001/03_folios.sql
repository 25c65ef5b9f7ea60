-- Folios. Every number of every authorised range is explained by a row: still to come (the counter), used (a
-- document), or never to be used (a void).

CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE cafs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    issuer rut NOT NULL,
    environment sii_environment NOT NULL,
    document_type smallint NOT NULL,
    first bigint NOT NULL CHECK (first > 0),
    last bigint NOT NULL,
    authorised_on date NOT NULL,
    expires_on date,
    idk integer NOT NULL,
    caf_xml bytea NOT NULL,
    private_key_sealed bytea NOT NULL,
    key_id text NOT NULL,
    branch text,
    reserve integer NOT NULL DEFAULT 0 CHECK (reserve >= 0),
    withdrawn_at timestamptz,
    added_at timestamptz NOT NULL DEFAULT fmgo_now(),
    CHECK (first <= last),
    FOREIGN KEY (issuer, environment) REFERENCES issuers (rut, environment),
    UNIQUE (id, issuer, environment, document_type),
    EXCLUDE USING gist ((issuer::text) WITH =, (environment::text) WITH =, document_type WITH =,
                        int8range(first, last, '[]') WITH &&)
);

-- `next` is the smallest folio that may still be given; last + 1 when the range is used up. `taken` counts the
-- numbers after it that are taken already (voids, documents that came from elsewhere): whoever gives folios looks then.
CREATE TABLE folio_counters (
    caf bigint PRIMARY KEY,
    issuer rut NOT NULL,
    environment sii_environment NOT NULL,
    document_type smallint NOT NULL,
    next bigint NOT NULL,
    last bigint NOT NULL,
    taken bigint NOT NULL DEFAULT 0 CHECK (taken >= 0),
    CHECK (next <= last + 1),
    FOREIGN KEY (caf, issuer, environment, document_type) REFERENCES cafs (id, issuer, environment, document_type)
);
CREATE INDEX folio_counters_open ON folio_counters (issuer, environment, document_type) WHERE next <= last;

-- Numbers that FMgo won't give to anybody: used elsewhere, or annulled. Each is explained once.
CREATE TABLE folio_voids (
    issuer rut NOT NULL,
    environment sii_environment NOT NULL,
    document_type smallint NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    reason text NOT NULL,
    document_id uuid,
    at timestamptz NOT NULL DEFAULT fmgo_now(),
    PRIMARY KEY (issuer, environment, document_type, first),
    CHECK (first <= last),
    FOREIGN KEY (issuer, environment) REFERENCES issuers (rut, environment),
    EXCLUDE USING gist ((issuer::text) WITH =, (environment::text) WITH =, document_type WITH =,
                        int8range(first, last, '[]') WITH &&)
);
