-- KEYS: the state of the bucket. ARGV: 1 a new incarnation, 2 the one that it takes the place of.
-- The values stay: they carry their incarnation, are as absent in another one, and expire.
local held = redis.call('HGET', KEYS[1], 'inc')
if held and held ~= ARGV[2] then
    return held
end
redis.call('HSET', KEYS[1], 'inc', ARGV[1], 'born', redis.call('TIME')[1], 'seq', '0')
return ARGV[1]
