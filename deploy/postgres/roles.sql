-- One role for each process, before the first migration; said by a superuser, as often as one likes. Their passwords
-- come after it: secrets/database_passwords.sql, made by deploy/make_secrets.py. What each may do: grants.sql.
DO $$
DECLARE
    wanted TEXT;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['migrate', 'scheduler', 'worker', 'listener', 'web', 'operations', 'operator'] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', wanted);
        END IF;
    END LOOP;
    -- Whoever is none of these may not even connect.
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format(
        'GRANT CONNECT ON DATABASE %I TO migrate, scheduler, worker, listener, web, operations, operator', current_database()
    );
END
$$;

-- The schema, and with it every table in it, is the migration's own.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER SCHEMA public OWNER TO migrate;
GRANT USAGE ON SCHEMA public TO scheduler, worker, listener, web, operations, operator;
