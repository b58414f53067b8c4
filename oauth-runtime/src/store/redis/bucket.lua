-- What read and swap begin with.
-- KEYS: the state of the bucket, the value. ARGV[1]: an incarnation, for a bucket that has none.
-- Incarnations have 63 bits and numbers here have 53: they are compared as text, and never calculated with.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function text(number)
    return string.format('%.0f', number)
end

local state = redis.call('HMGET', KEYS[1], 'inc', 'born', 'seq')
if not state[1] then
    state = { ARGV[1], time[1], '0' }
    redis.call('HSET', KEYS[1], 'inc', state[1], 'born', state[2], 'seq', state[3])
end

-- A value of another incarnation is as absent, and so is one that should have expired: where expiry pauses (CLIENT
-- PAUSE, a restored snapshot), its own end still holds.
local held = redis.call('HMGET', KEYS[2], 'inc', 'ver', 'end')
local version = held[1] == state[1] and tonumber(held[3]) > now and held[2]

local function seen()
    return { 'seen', state[1], state[2], state[3], time[1], version, version and redis.call('HGET', KEYS[2], 'val') }
end
