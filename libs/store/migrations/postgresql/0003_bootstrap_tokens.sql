-- The digest had an index of its own beside the key that ends in it: each token was indexed twice. The scopes are few, so a token is
-- found by going through them.
CREATE TABLE bootstrap_tokens_new (
  scope_id TEXT COLLATE "C" NOT NULL REFERENCES scopes (scope_id),
  digest BYTEA NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT,
  PRIMARY KEY (scope_id, digest)
);
INSERT INTO bootstrap_tokens_new (scope_id, digest, expires_at, used_at) SELECT scope_id, digest, expires_at, used_at FROM bootstrap_tokens;
DROP TABLE bootstrap_tokens;
ALTER TABLE bootstrap_tokens_new RENAME TO bootstrap_tokens;
