-- What must survive the loss of Redis about the SII's services: sessions and their state.

CREATE TABLE sii_sessions (
    person rut NOT NULL REFERENCES persons (rut),
    environment sii_environment NOT NULL,
    channel text NOT NULL CHECK (channel IN ('soap', 'rest')),
    generation bigint NOT NULL DEFAULT 0,
    token_sealed bytea,
    key_id text,
    obtained_at timestamptz,
    refused_generation bigint,
    lease_owner bigint,
    lease_until timestamptz,
    problem text,
    PRIMARY KEY (person, environment, channel)
);

CREATE TABLE sii_services (
    environment sii_environment NOT NULL,
    service text NOT NULL,
    closed_until timestamptz,
    failures integer NOT NULL DEFAULT 0,
    reason text,
    changed_at timestamptz NOT NULL DEFAULT fmgo_now(),
    PRIMARY KEY (environment, service)
);
