// A safety stock: at some locations the last units of every product cannot be reserved.
import * as domain from "holdfast:inventory/inventory@0.2.0";

const SAFETY_STOCK = new Map([
  ["showroom", 5n],
  ["harbour", 20n],
]);

// The rule guards the commands that take units, and passes all others on to the domain.
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
    // A hold whose id exists takes no units: the domain repeats its answer or refuses it.
    return find(context, id) ? decide() : guard(context, lines, [], decide);
  },

  replace(context, id, lines) {
    const held = find(context, id)?.lines.map(({ key, quantity, fulfilled, released, expired }) => (
      { key, quantity: quantity - fulfilled - released - expired }
    ));
    return guard(context, lines, held ?? [], () => domain.replace(context, id, lines));
  },
};

// Lets the domain decide, unless a line asks for more than the units of the stock above its safety
// stock together with the units that the reservation already holds.
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

  // Any other refusal of the domain comes first. The host drops the writes of the domain, as it
  // does for every rejected command.
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

// Returns undefined where the query is refused. The domain then refuses the command as well, with
// its own reason.
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

// A thrown value that is no Error becomes the `err` of the result.
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
