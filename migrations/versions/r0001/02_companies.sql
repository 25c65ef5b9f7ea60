-- Companies and people. (RUT, environment) is the key of everything that belongs to a company: certification and
-- production are two worlds. A certificate belongs to a person, who may act for many companies.

CREATE DOMAIN rut AS text CHECK (VALUE ~ '^[1-9][0-9]{0,7}-[0-9K]$');
CREATE DOMAIN sii_environment AS text CHECK (VALUE IN ('certification', 'production'));

CREATE TABLE issuers (
    rut rut NOT NULL,
    environment sii_environment NOT NULL,
    razon_social text NOT NULL,
    giro text NOT NULL,
    acteco integer[] NOT NULL DEFAULT '{}',
    dir_origen text NOT NULL,
    cmna_origen text NOT NULL,
    ciudad_origen text,
    telefono text,
    correo text,
    sucursal text,
    cdg_sii_sucur text,
    resolution_number integer NOT NULL,
    resolution_date date NOT NULL,
    issuing_stopped_at timestamptz,
    sending_stopped_at timestamptz,
    stop_reason text,
    added_at timestamptz NOT NULL DEFAULT fmgo_now(),
    PRIMARY KEY (rut, environment)
);

CREATE TABLE branches (
    issuer rut NOT NULL,
    environment sii_environment NOT NULL,
    code text NOT NULL,
    sucursal text NOT NULL,
    cdg_sii_sucur text,
    dir_origen text NOT NULL,
    cmna_origen text NOT NULL,
    ciudad_origen text,
    PRIMARY KEY (issuer, environment, code),
    FOREIGN KEY (issuer, environment) REFERENCES issuers (rut, environment)
);

CREATE TABLE tills (
    issuer rut NOT NULL,
    environment sii_environment NOT NULL,
    branch text NOT NULL,
    code text NOT NULL,
    PRIMARY KEY (issuer, environment, branch, code),
    FOREIGN KEY (issuer, environment, branch) REFERENCES branches (issuer, environment, code)
);

CREATE TABLE persons (
    rut rut PRIMARY KEY,
    name text NOT NULL,
    added_at timestamptz NOT NULL DEFAULT fmgo_now()
);

-- The private key is sealed (AES-GCM) under the vault key `key_id`.
CREATE TABLE certificates (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person rut NOT NULL REFERENCES persons (rut),
    fingerprint bytea NOT NULL UNIQUE CHECK (length(fingerprint) = 32),
    certificate_der bytea NOT NULL,
    private_key_sealed bytea NOT NULL,
    key_id text NOT NULL,
    not_before timestamptz NOT NULL,
    not_after timestamptz NOT NULL,
    retired_at timestamptz,
    added_at timestamptz NOT NULL DEFAULT fmgo_now()
);
CREATE INDEX certificates_of_person ON certificates (person, not_after DESC) WHERE retired_at IS NULL;

-- Who may act for whom: sign documents, send envelopes.
CREATE TABLE issuer_grants (
    issuer rut NOT NULL,
    environment sii_environment NOT NULL,
    person rut NOT NULL REFERENCES persons (rut),
    can_sign boolean NOT NULL DEFAULT true,
    can_send boolean NOT NULL DEFAULT true,
    granted_at timestamptz NOT NULL DEFAULT fmgo_now(),
    PRIMARY KEY (issuer, environment, person),
    FOREIGN KEY (issuer, environment) REFERENCES issuers (rut, environment)
);
