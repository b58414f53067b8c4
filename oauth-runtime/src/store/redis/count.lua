-- KEYS: the counter. ARGV: 1 what is added, 2 the window in ms.
local most = 9007199254740992
local left = redis.call('PTTL', KEYS[1])
local sum = left > 0 and tonumber(redis.call('GET', KEYS[1])) or 0
local new = math.max(0, math.min(sum + ARGV[1], most))
local said = string.format('%.0f', new)
if left > 0 then
    if new ~= sum then
        redis.call('SET', KEYS[1], said, 'KEEPTTL')
    end
    return { said, left }
end
if new > 0 then
    redis.call('SET', KEYS[1], said, 'PX', ARGV[2])
end
return { said, tonumber(ARGV[2]) }
