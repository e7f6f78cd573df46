-- A script for wrk. Arguments: the scenario (hot, spread, hold, get, mixed, batch-N), the number of
-- products, and the distance between the numbers of two products.
local requests, n = {}, 0
local threads = 0
local scenario, products, run
local BODY = '{"quantity":1}'

function setup(thread)
  threads = threads + 1
  thread:set("seed", threads)
end

local function add(method, path, body)
  local headers = {}
  if body then headers["Content-Type"] = "application/json" end
  n = n + 1
  requests[n] = wrk.format(method, path, headers, body)
end

local step = 1

local function product(i) return "/v1/inventory/sku-" .. i * step end

-- Batches of independent commands. 64 requests are made at random once.
local function add_batches(size)
  for _ = 1, 64 do
    local commands = {}
    for i = 1, size do
      commands[i] = '{"type":"reserve","product_id":"sku-' .. math.random(products) * step ..
        '","quantity":1}'
    end
    add("POST", "/v1/batch",
      '{"mode":"independent","commands":[' .. table.concat(commands, ",") .. "]}")
  end
end

function init(args)
  scenario, products, step = args[1], tonumber(args[2]), tonumber(args[3] or 1)
  math.randomseed(seed * 7919 + os.time())
  if scenario == "hot" then
    add("POST", "/v1/inventory/hot/reserve", BODY)
  elseif scenario == "spread" then
    for i = 1, products do add("POST", product(i) .. "/reserve", BODY) end
  elseif scenario == "hold" then
    -- The ids rise with the time, as the server's own ids do.
    run = string.format("r-%d-%d-", os.time(), math.random(1000000))
  elseif scenario:match("^batch%-") then
    add_batches(tonumber(scenario:match("%d+")))
  elseif scenario == "get" then
    for i = 1, products do add("GET", product(i)) end
  else
    for i = 1, products do add("GET", product(i)) end
    for i = 1, products do add("POST", product(i) .. "/reserve", BODY) end
    for i = 1, products do add("POST", product(i) .. "/release", BODY) end
  end
end

local random = math.random

-- Holds of three lines. Each is confirmed later, when its answer has certainly arrived.
local LAG = 256
-- wrk calls this function once for a request that it does not send.
local held, confirmed = 0, 1

local function line()
  return '{"product_id":"sku-' .. random(products) * step .. '","quantity":1}'
end

local function hold_or_confirm()
  if confirmed < held - LAG then
    confirmed = confirmed + 1
    return wrk.format("POST", "/v1/reservations/" .. run .. confirmed .. "/confirm")
  end
  held = held + 1
  local body = '{"reservation_id":"' .. run .. held .. '","lines":[' .. line() .. "," .. line() ..
    "," .. line() .. "]}"
  return wrk.format("POST", "/v1/reservations", { ["Content-Type"] = "application/json" }, body)
end

function request()
  if scenario == "hold" then return hold_or_confirm() end
  if n == 1 then return requests[1] end
  if scenario ~= "mixed" then return requests[random(n)] end
  local kind, i = random(10), random(products)
  if kind == 1 then return requests[products + i] end
  if kind == 2 then return requests[2 * products + i] end
  return requests[i]
end

function done(summary, latency, _)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.status,
    e.connect + e.read + e.write + e.timeout))
end
