-- ARGV: 2 the incarnation, 3 the version (empty: none), 4 'put' or 'take', 5 the time to keep in ms, 6 the value.
if state[1] ~= ARGV[2] or (version or '') ~= ARGV[3] then
    return seen()
end

local sequence = text(redis.call('HINCRBY', KEYS[1], 'seq', 1))
if ARGV[4] == 'put' then
    local till = text(now + ARGV[5])
    redis.call('HSET', KEYS[2], 'inc', state[1], 'ver', sequence, 'end', till, 'val', ARGV[6])
    redis.call('PEXPIREAT', KEYS[2], till)
else
    redis.call('DEL', KEYS[2])
end
return { 'done', sequence, time[1] }
