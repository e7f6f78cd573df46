// Writes values of the contract as JSON, the same text in every runtime. JSON.stringify cannot do
// that: it refuses a BigInt, into which jco turns a u64.

export function render(value) {
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return `[${value.map(render).join()}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  if ("tag" in value) return render({ [value.tag]: value.val }); // a variant
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return `{${fields.map(([name, field]) => `"${snakeCase(name)}":${render(field)}`).join()}}`;
}

function snakeCase(name) {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
