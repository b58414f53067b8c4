-- KEYS: where the version of the schema is written. ARGV[1]: ours.
return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'GET') or ARGV[1]
