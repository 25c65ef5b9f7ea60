-- Processes, their heartbeats and their leases. All of it is about processes, so it is in clock_timestamp().

-- environment: the one of the SII that the process talks to. beats: how often it has said that it lives; whoever
-- buries it has seen that number stand still, by a clock of its own. doing: the phase whose last step is the longest ago,
-- doing_seconds how long. buried: it didn't say goodbye.
CREATE TABLE workers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    epoch bigint NOT NULL,
    environment text,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    beat_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    beats bigint NOT NULL DEFAULT 0,
    doing text,
    doing_seconds double precision NOT NULL DEFAULT 0,
    stopped_at timestamptz,
    buried boolean NOT NULL DEFAULT false
);
CREATE INDEX workers_alive ON workers (beat_at) WHERE stopped_at IS NULL;

CREATE TABLE leases (
    name text PRIMARY KEY,
    owner bigint NOT NULL,
    until timestamptz NOT NULL
);

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
