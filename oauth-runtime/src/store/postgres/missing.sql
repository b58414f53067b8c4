-- The grants that this role lacks, as a text for people; NULL where it lacks none. $1 is the schema and the prefix.
SELECT string_agg(need.what || ' on ' || $1 || need.name, ', ')
FROM (VALUES
    ('schema', 'SELECT'), ('buckets', 'SELECT'), ('buckets', 'UPDATE'),
    ('values', 'SELECT'), ('values', 'INSERT'), ('values', 'UPDATE'), ('values', 'DELETE'),
    ('counters', 'SELECT'), ('counters', 'INSERT'), ('counters', 'UPDATE'),
    ('read(integer, bytea)', 'EXECUTE'), ('durably()', 'EXECUTE'),
    ('swap(integer, bytea, bigint, bigint, bytea, bigint)', 'EXECUTE'),
    ('count(integer[], bigint[], bigint[])', 'EXECUTE'), ('renew(integer, bigint, bigint)', 'EXECUTE')
) AS need (name, what)
WHERE NOT CASE need.what
    WHEN 'EXECUTE' THEN has_function_privilege($1 || need.name, need.what)
    ELSE has_table_privilege($1 || need.name, need.what)
END
