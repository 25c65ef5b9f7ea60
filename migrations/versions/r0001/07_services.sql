-- What must survive the loss of Redis about the SII's services: sessions and their state.

CREATE TABLE sii_sessions (
    person rut NOT NULL REFERENCES persons (rut),
    environment sii_environment NOT NULL,
    channel text NOT NULL CHECK (channel IN ('soap', 'rest')),
    generation bigint NOT NULL DEFAULT 0,
    token_sealed bytea,
    key_id text,
    obtained_at timestamptz,
    used_at timestamptz,
    refused_generation bigint,
    -- Refusals in a row without a use that went well in between, and logins in a row that brought no token.
    refusals integer NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    -- Neither a login nor a use before this moment.
    retry_at timestamptz,
    lease_owner bigint,
    lease_until timestamptz,
    problem text,
    alert text,
    PRIMARY KEY (person, environment, channel)
);

-- A service of the SII as it was met last: pace, open requests and breaker in one row, so that one statement lets a
-- request through or not, and every worker sees the same.
-- failures: in a row, of requests that brought no answer of the service; closed_until: nobody asks before, and then
-- one at a time (probe) until the service answers; paced_to: when the rate has caught up with what was asked;
-- holders: the process of each request that is open now, by the request's ticket (those of dead processes don't count);
-- probe: the ticket of the one request that sees how a closed service is.
CREATE TABLE sii_services (
    environment sii_environment NOT NULL,
    service text NOT NULL,
    failures integer NOT NULL DEFAULT 0,
    failing_since timestamptz,
    closed_until timestamptz,
    reason text,
    paced_to timestamptz,
    probe text,
    holders jsonb NOT NULL DEFAULT '{}',
    changed_at timestamptz NOT NULL DEFAULT fmgo_now(),
    PRIMARY KEY (environment, service)
) WITH (fillfactor = 50);

-- A person's switches for a whole environment; those of a company are in its row.
CREATE TABLE switches (
    environment sii_environment PRIMARY KEY,
    issuing_stopped_at timestamptz,
    sending_stopped_at timestamptz,
    reason text
);
INSERT INTO switches (environment) VALUES ('certification'), ('production');

CREATE FUNCTION fmgo_sending_is_stopped(issuer text, environment text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM switches s WHERE s.environment = $2 AND s.sending_stopped_at IS NOT NULL)
        OR EXISTS (SELECT FROM issuers i WHERE i.rut = $1 AND i.environment = $2 AND i.sending_stopped_at IS NOT NULL)
$$;

-- Every exchange with the SII, also those that brought nothing: what was asked by its digest, what came as it came (a
-- token in it is masked, a long answer cut). `about` is the envelope that it was for, `attempt` its attempt to send it.
CREATE SEQUENCE sii_exchanges_id;
CREATE TABLE sii_exchanges (
    id bigint NOT NULL DEFAULT nextval('sii_exchanges_id'),
    at timestamptz NOT NULL DEFAULT fmgo_now(),
    environment sii_environment NOT NULL,
    operation text NOT NULL,
    address text NOT NULL,
    person rut,
    envelope uuid,
    document_type integer,
    folio bigint,
    attempt integer,
    worker bigint,
    request_sha256 bytea NOT NULL CHECK (length(request_sha256) = 32),
    request_bytes integer NOT NULL,
    seconds double precision NOT NULL,
    http_status integer,
    answer bytea,
    answer_bytes integer,
    problem text,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE INDEX sii_exchanges_envelope ON sii_exchanges (envelope, id) WHERE envelope IS NOT NULL;
CREATE TABLE sii_exchanges_default PARTITION OF sii_exchanges DEFAULT;
CREATE TRIGGER sii_exchanges_append_only BEFORE UPDATE OR DELETE ON sii_exchanges
    FOR EACH ROW EXECUTE FUNCTION append_only();

-- What keeps each company from sending, null when nothing does: it is asked before an envelope is sealed, documents are
-- held with this as their cause, and the sweep asks again. `environment`: no living process talks to that one.
CREATE VIEW company_obstacles AS
    SELECT i.rut AS issuer, i.environment, CASE
        WHEN NOT EXISTS (SELECT FROM workers w WHERE w.environment = i.environment AND w.stopped_at IS NULL)
            THEN 'environment'
        WHEN NOT EXISTS (
            SELECT FROM issuer_grants g JOIN certificates c ON c.person = g.person
            WHERE g.issuer = i.rut AND g.environment = i.environment AND g.can_sign AND g.can_send
              AND c.retired_at IS NULL AND c.not_before <= fmgo_now() AND c.not_after > fmgo_now()) THEN 'certificate'
        WHEN i.resolution_date > (fmgo_now() AT TIME ZONE 'America/Santiago')::date
             OR (i.environment = 'production' AND i.resolution_number = 0) THEN 'resolution'
        END AS cause
    FROM issuers i;
CREATE INDEX documents_held ON documents (issuer, environment, document_type)
    WHERE state = 'signed' AND held IS NOT NULL;
