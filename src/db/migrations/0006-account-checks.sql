-- What the provider said the last time about a connection's credential. Null in checked_at: nobody has asked since it was declared.
ALTER TABLE connections
  ADD COLUMN checked_at  timestamptz,
  ADD COLUMN check_code  text,
  ADD COLUMN check_error text;
