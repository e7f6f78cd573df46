// A safety stock: at some locations the last units of every product are not given away.
import * as domain from "holdfast:inventory/inventory@0.2.0";

const SAFETY_STOCK = new Map([
  ["showroom", 5n],
  ["harbour", 20n],
]);

// What takes units is guarded; everything else is the domain's own.
export const inventory = {
  ...domain,

  reserve(context, key, quantity) {
    return guard(context, [{ key, quantity }], [], () => domain.reserve(context, key, quantity));
  },

  transfer(context, productId, fromLocationId, toLocationId, quantity) {
    const lines = [{ key: { productId, locationId: fromLocationId }, quantity }];
    return guard(context, lines, [], () =>
      domain.transfer(context, productId, fromLocationId, toLocationId, quantity));
  },

  hold(context, id, lines, ttlSeconds) {
    const decide = () => domain.hold(context, id, lines, ttlSeconds);
    // The same hold again takes nothing, and another one under its id is refused.
    return find(context, id) ? decide() : guard(context, lines, [], decide);
  },

  replace(context, id, lines) {
    const held = find(context, id)?.lines.map(({ key, quantity, fulfilled, released, expired }) => (
      { key, quantity: quantity - fulfilled - released - expired }
    ));
    return guard(context, lines, held ?? [], () => domain.replace(context, id, lines));
  },
};

// Lets the domain decide, but not give more than the rule lets go: what a stock has above its
// safety stock, and what the reservation at hand holds of it already.
function guard(context, lines, held, decide) {
  if (!lines.some(({ key }) => SAFETY_STOCK.has(key.locationId))) return decide();

  const wanted = unitsByStock(lines);
  const own = unitsByStock(held);
  const short = lines.flatMap(({ key }, line) => {
    const requested = wanted.get(name(key));
    const available = spare(context, key) + (own.get(name(key)) ?? 0n);
    return requested > available ? [{ line, key, requested, available }] : [];
  });
  if (short.length === 0) return decide();

  // Any other refusal comes before this one. What the domain would have given is dropped by the
  // host, as everything that a rejected command wrote.
  try {
    decide();
  } catch (refusal) {
    if (refusal.payload?.code !== "insufficient-stock") throw refusal;
  }
  throw insufficientStock(short);
}

function spare(context, key) {
  const available = ask(() => domain.getStock(asQuery(context), key))?.available ?? 0n;
  const safetyStock = SAFETY_STOCK.get(key.locationId) ?? 0n;
  return available > safetyStock ? available - safetyStock : 0n;
}

function find(context, id) {
  return ask(() => domain.getReservation(asQuery(context), id))?.reservation;
}

// A query that is refused tells nothing: the command will be refused too, in the domain's own
// words.
function ask(query) {
  try {
    return query();
  } catch {
    return undefined;
  }
}

const asQuery = ({ now, caller }) => ({ now, caller });

function unitsByStock(lines) {
  const units = new Map();
  for (const { key, quantity } of lines) {
    units.set(name(key), (units.get(name(key)) ?? 0n) + quantity);
  }
  return units;
}

const name = ({ productId, locationId }) => `${productId} ${locationId}`;

// What is thrown and is no Error is the `err` of the result.
function insufficientStock(short) {
  const [{ key, requested, available }] = short;
  return {
    code: "insufficient-stock",
    message: short.length > 1
      ? `${short.length} lines ask for more than is available above the safety stock`
      : `${requested} requested of product ${key.productId} at location ${key.locationId}, ` +
        `${available} available above the safety stock`,
    details: short.flatMap(({ line, key, requested, available }) => [
      { line, name: "product_id", value: { tag: "text", val: key.productId } },
      { line, name: "location_id", value: { tag: "text", val: key.locationId } },
      { line, name: "requested", value: { tag: "unsigned", val: requested } },
      { line, name: "available", value: { tag: "unsigned", val: available } },
    ]),
  };
}
