-- Processes, their heartbeats and their leases. All of it is about processes, so it is in clock_timestamp().

-- environment: the one of the SII that the process talks to.
CREATE TABLE workers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    epoch bigint NOT NULL,
    environment text,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    beat_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    stopped_at timestamptz
);
CREATE INDEX workers_alive ON workers (beat_at) WHERE stopped_at IS NULL;

CREATE TABLE leases (
    name text PRIMARY KEY,
    owner bigint NOT NULL,
    until timestamptz NOT NULL
);

-- A death is a missing beat, never an expired lease.
CREATE FUNCTION worker_is_dead(worker bigint, dead_after interval) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT NOT EXISTS (
        SELECT FROM workers
        WHERE id = worker AND stopped_at IS NULL AND beat_at > clock_timestamp() - dead_after
    )
$$;

-- One number a claim; every later update of the claimed rows checks it.
CREATE SEQUENCE claim_fence;

CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT fmgo_now(),
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_log_subject ON audit_log (subject, at);
