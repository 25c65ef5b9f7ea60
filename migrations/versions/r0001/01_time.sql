-- Time has one source. Everything about business asks fmgo_now(); heartbeats and the sweep's lease, which are about
-- processes, ask clock_timestamp(). The offset is zero outside a sandbox.

CREATE TABLE clock_offset (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    by interval NOT NULL DEFAULT '0'
);
INSERT INTO clock_offset DEFAULT VALUES;

-- STABLE and with the offset as a sub-select: VOLATILE or a join would keep `due_at <= fmgo_now()` off the indexes.
CREATE FUNCTION fmgo_now() RETURNS timestamptz LANGUAGE sql STABLE
AS $$ SELECT clock_timestamp() + (SELECT by FROM clock_offset) $$;

CREATE FUNCTION clock_offset_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('fmgo.sandbox', true), 'off') <> 'on' THEN
        RAISE EXCEPTION 'the clock of this ledger may not be moved: fmgo.sandbox is off';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER clock_offset_guard BEFORE UPDATE OR INSERT OR DELETE ON clock_offset
    FOR EACH ROW EXECUTE FUNCTION clock_offset_guard();

-- A restore or a promotion raises the epoch: workers of an older one leave, and intake, issue and submit stay shut
-- (replayed_at is null) until the evidence has been replayed.
CREATE TABLE ledger_epoch (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    epoch bigint NOT NULL DEFAULT 1,
    raised_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    replayed_at timestamptz DEFAULT clock_timestamp(),
    reason text NOT NULL DEFAULT 'created'
);
INSERT INTO ledger_epoch DEFAULT VALUES;
