-- What each process may do with each table, and no more. Said by the owner after each migration:
-- qonto-xero db migrate --grants deploy/postgres/grants.sql

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM scheduler, worker, listener, web, operations, operator;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO scheduler, worker, listener, web, operator;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT USAGE ON SEQUENCES TO scheduler, worker, listener, web, operator;

-- Everybody asks whether the schema is up to date.
GRANT SELECT ON schema_migration TO scheduler, worker, listener, web, operations, operator;

-- The audit grows. Nobody but its owner, which no process of ours is, changes or deletes a line of it.
GRANT SELECT, INSERT ON audit_entry TO scheduler, worker, listener, web, operator;

-- The scheduler opens and wakes runs, publishes the outboxes, and ends what browsers left behind.
GRANT SELECT, INSERT, UPDATE ON sync_run, outbox_message, heartbeat TO scheduler;
GRANT SELECT, UPDATE ON outbox_event, inbox_event TO scheduler;
GRANT SELECT, DELETE ON web_session, authorisation, credential TO scheduler;
-- It also counts, and looks for what must never be: it reads what was sent, and writes down what it found.
GRANT SELECT, INSERT, UPDATE, DELETE ON invariant_check TO scheduler;
GRANT SELECT ON organisation, connection, lease, pause, call_budget, posting, posting_batch, access_refusal TO scheduler;
GRANT SELECT (connection_id, unread_since, unread_reason) ON cursor TO scheduler;
GRANT SELECT (created_at, settled_at) ON quarantine TO scheduler;

-- The worker does a night's work. Nothing of a night is deleted, but that access was refused once it is given again.
GRANT SELECT, INSERT, UPDATE ON
    bank_account, account_link, cursor, posting, posting_batch, sync_run, lease, pause, call_budget, invariant_check,
    awaited_transaction, opening_balance TO worker;
GRANT SELECT, INSERT ON posting_event, quarantine, outbox_message, outbox_event TO worker;
GRANT SELECT, UPDATE ON connection, credential, inbox_event TO worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON access_refusal TO worker;
GRANT SELECT ON organisation, heartbeat TO worker;

-- The listener writes down what it hears, and tries its keys on what it sealed. It sees no credential and no transaction.
GRANT SELECT, INSERT, UPDATE ON inbox_event TO listener;
GRANT SELECT, INSERT ON outbox_message, quarantine TO listener;
GRANT SELECT ON connection TO listener;

-- The page asks Qonto and Xero on a person's behalf, so it reads and refreshes credentials: it is the process to
-- protect best. Of postings it hands over what an earlier connection left, and changes nothing else.
GRANT SELECT, INSERT, UPDATE, DELETE ON credential, web_session, authorisation TO web;
GRANT SELECT, INSERT, UPDATE ON organisation, connection, sync_run, call_budget, pause TO web;
GRANT SELECT, INSERT ON outbox_message, outbox_event TO web;
GRANT SELECT, UPDATE (connection_id) ON posting, posting_batch TO web;
GRANT SELECT ON bank_account, account_link, posting_event, lease, awaited_transaction TO web;
-- Connecting keeps what each account holds, and goes on reading where an earlier connection ended.
GRANT SELECT, INSERT, UPDATE ON cursor, opening_balance TO web;
GRANT SELECT, DELETE ON access_refusal TO web; -- who connects again is let in

-- The operations page counts and changes nothing. Of quarantine and of postings it sees states and moments alone.
GRANT SELECT ON
    organisation, connection, sync_run, lease, pause, call_budget, invariant_check, heartbeat, inbox_event,
    outbox_message, outbox_event, access_refusal TO operations;
GRANT SELECT (connection_id, unread_since, unread_reason) ON cursor TO operations;
GRANT SELECT (connection_id, state, reason, changed_at, noted_at, changed_to) ON posting TO operations;
GRANT SELECT (reason, ended_at) ON awaited_transaction TO operations, scheduler;
GRANT SELECT (created_at, settled_at) ON quarantine TO operations;

-- A person at a command line: all of it, but neither can the audit be rewritten, nor a
-- transaction's story, nor is anything deleted but secrets that were given up.
GRANT SELECT, INSERT, UPDATE ON
    organisation, connection, credential, bank_account, account_link, cursor, posting, posting_batch, sync_run,
    outbox_message, outbox_event, inbox_event, lease, pause, quarantine, call_budget, invariant_check,
    awaited_transaction, opening_balance TO operator;
GRANT SELECT, INSERT ON posting_event TO operator;
GRANT SELECT, INSERT, UPDATE, DELETE ON access_refusal TO operator;
GRANT DELETE ON credential TO operator;
GRANT SELECT ON web_session, authorisation, heartbeat TO operator;
