// A session through a client whose types are generated from the document. The compiler is half of
// the test: it refuses a request or a member that the document does not have.
import createClient from "openapi-fetch";
import type { paths } from "./api.js";

const url = process.argv[2];
if (url === undefined) throw new Error("usage: session.js URL");
const client = createClient<paths>({ baseUrl: url });

/** The data of an accepted request that was no dry run. Any other answer ends the session. */
function accepted<Data extends object>(answer: {
  data?: Data;
  error?: unknown;
  response: Response;
}): Exclude<Data, { dry_run: true }> {
  if (answer.data === undefined || "dry_run" in answer.data) {
    throw new Error(`${answer.response.url}: ${JSON.stringify(answer.error)}`);
  }
  return answer.data as Exclude<Data, { dry_run: true }>;
}

/** The problem of a refused request. An acceptance ends the session. */
function refused<Problem>(answer: { error?: Problem; response: Response }): Problem {
  if (answer.error === undefined) throw new Error(`${answer.response.url} was accepted`);
  return answer.error;
}

const set = await client.PUT("/v1/inventory/{product_id}", {
  params: { path: { product_id: "sku-1" } },
  body: { total_quantity: 10, minimum_stock_level: 2 },
});
console.log(`set sku-1: ${set.response.status}, ${accepted(set).available_quantity} available`);

const hold = await client.POST("/v1/reservations", {
  params: { header: { "Idempotency-Key": "cart-1-hold" } },
  body: {
    reservation_id: "cart-1",
    lines: [{ product_id: "sku-1", quantity: 4 }],
    ttl_seconds: 900,
  },
});
console.log(`hold cart-1: ${hold.response.status}, ${accepted(hold).state}`);

const short = await client.POST("/v1/reservations", {
  body: { reservation_id: "cart-2", lines: [{ product_id: "sku-1", quantity: 7 }] },
});
const problem = refused(short);
// A rule in front of the domain may refuse with a code of its own, which has other members.
if (!("lines" in problem) || "remaining" in problem) throw new Error(problem.detail);
const [line] = problem.lines;
console.log(
  `hold cart-2: ${short.response.status}, ${problem.code}, ` +
    `${line?.requested} requested, ${line?.available} available`,
);

const path = { reservation_id: "cart-1" };
const confirm = await client.POST("/v1/reservations/{reservation_id}/confirm", {
  params: { path },
});
console.log(`confirm cart-1: ${confirm.response.status}, ${accepted(confirm).state}`);

const fulfill = await client.POST("/v1/reservations/{reservation_id}/fulfill", {
  params: { path },
  body: { lines: [{ product_id: "sku-1", quantity: 4 }] },
});
console.log(`fulfill cart-1: ${fulfill.response.status}, ${accepted(fulfill).state}`);

const stocks = accepted(await client.GET("/v1/inventory", { params: { query: { limit: 10 } } }));
for (const stock of stocks.items) {
  console.log(`stocks: ${stock.product_id} ${stock.available_quantity} of ${stock.total_quantity}`);
}

const reservations = accepted(
  await client.GET("/v1/reservations", { params: { query: { state: "fulfilled" } } }),
);
for (const reservation of reservations.items) {
  console.log(`reservations: ${reservation.reservation_id} ${reservation.state}`);
}

const batch = await client.POST("/v1/batch", {
  body: {
    mode: "independent",
    commands: [
      { type: "set", product_id: "sku-2", total_quantity: 5 },
      { type: "reserve", product_id: "sku-2", quantity: 3 },
      { type: "hold", lines: [{ product_id: "sku-2", quantity: 3 }] },
    ],
  },
});
const results = accepted(batch).results.map((result) =>
  "problem" in result && result.problem ? `${result.status} ${result.problem.code}` : result.status,
);
console.log(`batch: ${results.join(" ")}`);

const whole = await client.POST("/v1/batch", {
  body: {
    mode: "atomic",
    commands: [
      { type: "reserve", product_id: "sku-2", quantity: 1 },
      { type: "reserve", product_id: "sku-2", quantity: 2 },
    ],
  },
});
const first = refused(whole);
if (first.code !== "insufficient-stock") throw new Error(first.detail);
console.log(`batch refused: ${whole.response.status}, ${first.code}, command ${first.command_index}`);

const invalid = await client.POST("/v1/batch", {
  body: { mode: "atomic", commands: [{ type: "reserve", product_id: "sku-2", quantity: 0 }] },
});
const violations = refused(invalid);
if (!("errors" in violations)) throw new Error(violations.detail);
const pointers = violations.errors.map((violation) => violation.pointer);
console.log(`batch refused: ${invalid.response.status}, ${violations.code}, ${pointers.join(" ")}`);

// Requests that the compiler must refuse. They are never sent.
export function neverSent() {
  const lines = [{ product_id: "sku-1", quantity: 1 }];
  // @ts-expect-error: a batch is `atomic` or `independent`
  void client.POST("/v1/batch", { body: { mode: "some", commands: [] } });
  // @ts-expect-error: no command is called `take`
  void client.POST("/v1/batch", { body: { mode: "atomic", commands: [{ type: "take", lines }] } });
  // @ts-expect-error: a command to reserve names a quantity
  void client.POST("/v1/batch", { body: { mode: "atomic", commands: [{ type: "reserve", product_id: "a" }] } });
  // @ts-expect-error: no reservation is in a state `lost`
  void client.GET("/v1/reservations", { params: { query: { state: "lost" } } });
  // @ts-expect-error: events are listed from the oldest or from the newest
  void client.GET("/v1/inventory/{product_id}/events", { params: { path: { product_id: "a" }, query: { order: "up" } } });
}
