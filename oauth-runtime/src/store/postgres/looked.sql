-- What is there: of the server, of the connection, and of this crate's. $1 is the name of the table with the version.
SELECT
    current_setting('server_version_num')::integer AS server,
    pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS read_only,
    current_setting('fsync')::boolean AS fsync,
    to_regclass($1) IS NOT NULL AS exists,
    quote_ident(coalesce(
        (SELECT n.nspname::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE c.oid = to_regclass($1)),
        current_schema()::text
    )) AS schema
