-- Roles are groups without login; an installation grants them to its users. Roles belong to the whole server, so they
-- may be there already.

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['fmgo_producer', 'fmgo_worker', 'fmgo_operator', 'fmgo_reader'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END LOOP;
END $$;

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION fmgo_enqueue(fmgo_job[], text), fmgo_results(uuid[]), fmgo_find(text, text, text),
                           fmgo_cancel(uuid, text, text),
                           fmgo_move_clock(interval), fmgo_make_partitions(timestamptz, timestamptz) FROM PUBLIC;

-- A producer may hand in jobs, take them back and read results, nothing else.
GRANT EXECUTE ON FUNCTION fmgo_enqueue(fmgo_job[], text), fmgo_results(uuid[]), fmgo_find(text, text, text),
                          fmgo_cancel(uuid, text, text)
    TO fmgo_producer, fmgo_worker, fmgo_operator;

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO fmgo_worker, fmgo_operator;
REVOKE UPDATE, DELETE ON audit_log, document_events, document_files, envelope_events, sii_exchanges, document_claims
    FROM fmgo_worker, fmgo_operator;
REVOKE INSERT, UPDATE, DELETE ON clock_offset, ledger_epoch FROM fmgo_worker;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO fmgo_worker, fmgo_operator;
GRANT EXECUTE ON FUNCTION fmgo_make_partitions(timestamptz, timestamptz) TO fmgo_worker, fmgo_operator;

-- A reader sees everything but sealed secrets and message bodies.
GRANT SELECT ON issuers, branches, tills, persons, issuer_grants, folio_counters, folio_voids, note_changes, uf_values,
    workers, leases, batches, documents, document_events, withdrawals, document_states, document_transitions, envelope_states,
    envelope_transitions, envelope_events, envelope_attempts, envelope_documents, envelope_halves, audit_log,
    sii_services, switches, sii_exchanges, company_obstacles, mail_files_seen, result_mails_wanted, claim_watches,
    document_claims, ledger_epoch TO fmgo_reader;
GRANT SELECT (person, environment, channel, generation, obtained_at, used_at, refusals, failures, retry_at, problem, alert)
    ON sii_sessions TO fmgo_reader;
GRANT SELECT (id, issuer, environment, document_type, first, last, authorised_on, expires_on, idk, branch, reserve,
              withdrawn_at, added_at) ON cafs TO fmgo_reader;
GRANT SELECT (id, person, fingerprint, not_before, not_after, retired_at, added_at) ON certificates TO fmgo_reader;
GRANT SELECT (id, issuer, environment, kind, address, auth, forwarders, uid_validity, last_uid, due_at, looked_at,
              worked_at, failures, problem, added_at) ON mail_sources TO fmgo_reader;
GRANT SELECT (id, at, issuer, environment, source, sha256, writer, forwarder, subject, track_id, said, outcome, note,
              envelope, told_at) ON result_mails TO fmgo_reader;
