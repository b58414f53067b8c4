-- The tables and functions of `PostgresStore`, version 1. Times are the database's own, durations are in microseconds.
-- What stands for {tables} is the schema and the prefix; for {prefix}, the prefix alone.

CREATE TABLE {tables}schema (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version integer NOT NULL
);

-- A row is written anew by every swap in its bucket: most of a page stays free for that.
CREATE TABLE {tables}buckets (
    bucket integer PRIMARY KEY,
    incarnation bigint NOT NULL,
    born timestamptz NOT NULL,
    sequence bigint NOT NULL
) WITH (fillfactor = 20);

CREATE TABLE {tables}values (
    key bytea PRIMARY KEY,
    bucket integer NOT NULL,
    incarnation bigint NOT NULL,
    version bigint NOT NULL,
    expires timestamptz NOT NULL,
    value bytea NOT NULL
);

CREATE INDEX {prefix}values_by_expiry ON {tables}values (bucket, expires);

-- Logged: a crash that emptied them would let those who guess passwords begin anew. There are at most 2^20 rows.
CREATE TABLE {tables}counters (
    slot integer PRIMARY KEY,
    sum bigint NOT NULL,
    ends timestamptz NOT NULL
) WITH (fillfactor = 50);

-- One query, so that bucket and value are seen at the same moment. STABLE lets PostgreSQL inline it.
CREATE FUNCTION {tables}read(in_bucket integer, in_key bytea)
RETURNS TABLE (
    incarnation bigint, born bigint, sequence bigint, now bigint, version bigint, value bytea, standby boolean
)
LANGUAGE sql STABLE AS $oauth_runtime$
    SELECT b.incarnation, floor(extract(epoch FROM b.born))::bigint, b.sequence,
        floor(extract(epoch FROM clock.now))::bigint, v.version, v.value, pg_is_in_recovery()
    FROM (SELECT clock_timestamp() AS now) AS clock
    CROSS JOIN {tables}buckets AS b
    LEFT JOIN {tables}values AS v ON v.key = in_key AND v.incarnation = b.incarnation AND v.expires > clock.now
    WHERE b.bucket = in_bucket
$oauth_runtime$;

-- What every write begins with. A SET clause of the function would end with it, before the commit; this lasts until after
-- the commit, and no longer. An author's stricter settings stay.
CREATE FUNCTION {tables}durably() RETURNS void
LANGUAGE plpgsql VOLATILE AS $oauth_runtime$
BEGIN
    IF current_setting('synchronous_commit') NOT IN ('on', 'remote_apply') THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    -- A lock that someone holds by hand must not take all connections of the application's pool, and is an error of this call
    -- before the deadline, which would count the whole store as silent.
    IF current_setting('lock_timeout') = '0' THEN
        PERFORM set_config('lock_timeout', '4s', true);
    END IF;
END
$oauth_runtime$;

-- The lock of the bucket comes first: all writes of a bucket are in one order. Each statement after it sees what the
-- writers before have committed, or, where the isolation level fixes what is seen, the lock fails with 40001.
CREATE FUNCTION {tables}swap(
    in_bucket integer, in_key bytea, in_incarnation bigint, in_since bigint, in_value bytea, in_keep bigint,
    OUT incarnation bigint, OUT born bigint, OUT sequence bigint, OUT now bigint, OUT version bigint, OUT value bytea,
    OUT done boolean
)
LANGUAGE plpgsql VOLATILE AS $oauth_runtime$
#variable_conflict use_variable
DECLARE
    moment timestamptz;
BEGIN
    PERFORM {tables}durably();
    SELECT b.incarnation, floor(extract(epoch FROM b.born))::bigint, b.sequence INTO STRICT incarnation, born, sequence
        FROM {tables}buckets AS b WHERE b.bucket = in_bucket FOR UPDATE;
    moment := clock_timestamp();
    now := floor(extract(epoch FROM moment))::bigint;
    SELECT v.version, v.value INTO version, value
        FROM {tables}values AS v WHERE v.key = in_key AND v.incarnation = incarnation AND v.expires > moment;
    done := incarnation = in_incarnation AND version IS NOT DISTINCT FROM in_since;
    IF NOT done THEN
        RETURN;
    END IF;
    sequence := sequence + 1;
    version := NULL;
    value := NULL;
    UPDATE {tables}buckets AS b SET sequence = sequence WHERE b.bucket = in_bucket;
    IF in_value IS NULL THEN
        DELETE FROM {tables}values AS v WHERE v.key = in_key;
    ELSE
        INSERT INTO {tables}values AS v
            VALUES (in_key, in_bucket, incarnation, sequence, moment + in_keep * interval '1 microsecond', in_value)
            ON CONFLICT (key) DO UPDATE SET incarnation = excluded.incarnation,
                version = excluded.version, expires = excluded.expires, value = excluded.value;
    END IF;
    -- Faster than values come, in portions that no caller notices.
    IF sequence % 8 = 0 THEN
        DELETE FROM {tables}values AS v WHERE v.key IN (
            SELECT old.key FROM {tables}values AS old WHERE old.bucket = in_bucket AND old.expires <= moment
            ORDER BY old.expires LIMIT 20
        );
    END IF;
END
$oauth_runtime$;

-- Slots are locked in ascending order, whatever the order they are asked in: two callers never wait for each other.
CREATE FUNCTION {tables}count(
    in_slots integer[], in_adds bigint[], in_windows bigint[], OUT sums bigint[], OUT ends_in bigint[]
)
LANGUAGE plpgsql VOLATILE AS $oauth_runtime$
DECLARE
    n integer;
    moment timestamptz;
    its_end timestamptz;
    its_sum bigint;
BEGIN
    PERFORM {tables}durably();
    sums := in_adds;
    ends_in := in_windows;
    FOR n IN SELECT i FROM generate_subscripts(in_slots, 1) AS i ORDER BY in_slots[i] LOOP
        moment := clock_timestamp();
        IF in_adds[n] > 0 THEN
            INSERT INTO {tables}counters AS c (slot, sum, ends)
                VALUES (in_slots[n], in_adds[n], moment + in_windows[n] * interval '1 microsecond')
                ON CONFLICT (slot) DO UPDATE SET
                    sum = CASE WHEN c.ends > moment
                        THEN least(c.sum, 9223372036854775807 - excluded.sum) + excluded.sum ELSE excluded.sum END,
                    ends = CASE WHEN c.ends > moment THEN c.ends ELSE excluded.ends END
                RETURNING c.sum, c.ends INTO its_sum, its_end;
        ELSIF in_adds[n] < 0 THEN
            UPDATE {tables}counters AS c SET sum = greatest(c.sum + in_adds[n], 0)
                WHERE c.slot = in_slots[n] AND c.ends > moment RETURNING c.sum, c.ends INTO its_sum, its_end;
        ELSE
            SELECT c.sum, c.ends INTO its_sum, its_end
                FROM {tables}counters AS c WHERE c.slot = in_slots[n] AND c.ends > moment;
        END IF;
        IF FOUND THEN
            sums[n] := its_sum;
            ends_in[n] := ceil(extract(epoch FROM its_end - moment) * 1000000)::bigint;
        ELSE
            sums[n] := 0;
        END IF;
    END LOOP;
END
$oauth_runtime$;

CREATE FUNCTION {tables}renew(in_bucket integer, in_was bigint, in_new bigint, OUT incarnation bigint)
LANGUAGE plpgsql VOLATILE AS $oauth_runtime$
#variable_conflict use_variable
BEGIN
    PERFORM {tables}durably();
    SELECT b.incarnation INTO STRICT incarnation FROM {tables}buckets AS b WHERE b.bucket = in_bucket FOR UPDATE;
    IF incarnation = in_was THEN
        incarnation := in_new;
        UPDATE {tables}buckets AS b SET incarnation = in_new, born = clock_timestamp(), sequence = 0
            WHERE b.bucket = in_bucket;
        DELETE FROM {tables}values AS v WHERE v.bucket = in_bucket;
    END IF;
END
$oauth_runtime$;
