-- wrk: one POST with a JSON body of BODY_BYTES bytes, as a caller's program sends it; the result as one line of JSON.
local bytes = tonumber(os.getenv("BODY_BYTES"))
local start = '{"account_id":"rbac-7Jq2hT0yXw","amount":"100.00","currency":"USD","idempotent_key":"idp-0f6c1a52",'
    .. '"description":"'
wrk.method = "POST"
wrk.body = start .. string.rep("x", bytes - #start - 2) .. '"}'
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Accept"] = "application/json"
wrk.headers["User-Agent"] = "loadtest/1"
wrk.headers["X-Request-Id"] = "0b8f7c0e-6f5e-4b39-9d0f-2f5f0a1f9f10"

-- With CLOSE each request has a connection of its own.
if os.getenv("CLOSE") then wrk.headers["Connection"] = "close" end

-- With KEY_PREFIX each request has an idempotency key of its own.
local prefix = os.getenv("KEY_PREFIX")
if prefix and prefix ~= "" then
    local number = 0
    function request()
        number = number + 1
        wrk.headers["Idempotency-Key"] = prefix .. number
        return wrk.format()
    end
end

function done(summary, latency)
    local e = summary.errors
    io.write(string.format(
        'RESULT {"requests":%d,"microseconds":%d,"bytes":%d,"errors":%d,"p50":%d,"p99":%d,"p999":%d,"max":%d,'
        .. '"error_kinds":"connect %d, read %d, write %d, status %d, timeout %d"}\n',
        summary.requests, summary.duration, summary.bytes, e.connect + e.read + e.write + e.status + e.timeout,
        latency:percentile(50), latency:percentile(99), latency:percentile(99.9), latency.max,
        e.connect, e.read, e.write, e.status, e.timeout))
end
