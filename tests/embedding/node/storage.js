// The contract's `storage` in memory: the functions of wit/storage.wit under their JavaScript
// names. A scan reads every entry, where a database would have an index.
//
// jco copies values on their way in and out of the component, so the storage keeps them without a
// copy.

import { currentUnit, forbidInCommand } from "./unit-of-work.js";

const stocks = new Map(); // placeOf(key) -> { key, stock }
const reservations = new Map(); // id -> { id, reservation }, in the order of creation

export function getStock(key) {
  return stocks.get(placeOf(key))?.stock;
}

export function putStock(key, stock) {
  put(stocks, placeOf(key), { key, stock });
}

export function scanStocks({ locationId, productPrefix, belowMinimum, after, limit }) {
  return [...stocks.values()]
    .filter(
      ({ key, stock }) =>
        isOrAny(locationId, key.locationId) &&
        (productPrefix === undefined || key.productId.startsWith(productPrefix)) &&
        (!belowMinimum || deficitOf(stock) > 0n) &&
        (after === undefined || placeOf(key) > placeOf(after)),
    )
    .sort(inKeyOrder)
    .slice(0, limit);
}

export function scanDeficits({ locationId, after, limit }) {
  const isBehind = ({ key, stock }) =>
    deficitOf(stock) < after.deficit ||
    (deficitOf(stock) === after.deficit && placeOf(key) > placeOf(after.key));
  return [...stocks.values()]
    .filter(
      (entry) =>
        deficitOf(entry.stock) > 0n &&
        isOrAny(locationId, entry.key.locationId) &&
        (after === undefined || isBehind(entry)),
    )
    .sort((a, b) => compare(deficitOf(b.stock), deficitOf(a.stock)) || inKeyOrder(a, b))
    .slice(0, limit);
}

export function getReservation(id) {
  return reservations.get(id)?.reservation;
}

export function putReservation(id, reservation) {
  put(reservations, id, { id, reservation });
}

export function scanReservations(scan) {
  forbidInCommand();
  // Reservations are never removed, so the number of a reservation is a position that stays valid.
  const found = [...reservations.values()]
    .map((entry, index) => ({ entry, position: BigInt(index) }))
    .reverse()
    .filter(
      ({ entry, position }) =>
        (scan.after === undefined || position < scan.after) && matches(entry.reservation, scan),
    );
  const page = found.slice(0, scan.limit);
  return {
    items: page.map(({ entry }) => entry),
    next: found.length > page.length ? page.at(-1)?.position : undefined,
  };
}

function put(map, id, value) {
  const before = map.get(id);
  currentUnit().undo.push(() => (before ? map.set(id, before) : map.delete(id)));
  map.set(id, value);
}

// Ids are printable ASCII without spaces, and a space sorts before all these characters. So these
// strings sort in the contract's order: by product, then by location.
function placeOf({ productId, locationId }) {
  return `${productId} ${locationId}`;
}

function inKeyOrder(a, b) {
  return compare(placeOf(a.key), placeOf(b.key));
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isOrAny(wanted, value) {
  return wanted === undefined || wanted === value;
}

function deficitOf({ level }) {
  return level.minimum - (level.total - level.reserved);
}

function matches({ lines, status, reference }, scan) {
  return (
    lines.some(
      ({ key }) =>
        isOrAny(scan.productId, key.productId) && isOrAny(scan.locationId, key.locationId),
    ) &&
    isOrAny(scan.state, status.state) &&
    isOrAny(scan.reference, reference) &&
    (scan.expiresBefore === undefined ||
      (status.expiresAt !== undefined && status.expiresAt < scan.expiresBefore))
  );
}
