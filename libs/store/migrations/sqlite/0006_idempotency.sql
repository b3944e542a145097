-- compatible-from: 5
-- The answers to requests that came with an Idempotency-Key, sealed: some hold a secret that is told once. A row is written with the
-- change that it answers and removed a day later.
CREATE TABLE idempotency_keys (
  scope_id TEXT NOT NULL REFERENCES scopes (scope_id),
  token_id BLOB NOT NULL,
  route TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  sealed_answer BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (scope_id, token_id, route, idempotency_key)
) STRICT;

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (scope_id, created_at);
