import { componentize } from "@bytecodealliance/componentize-js";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

const { component } = await componentize({
  sourcePath: path("rule.js"),
  witPath: path("../../../wit"),
  worldName: "rule",
  // Without these features the component imports no WASI interface. An exception that is no
  // rejection is then a trap without a message; to read the message, leave "stdio" enabled.
  disableFeatures: ["stdio", "random", "clocks", "http", "fetch-event"],
});
await writeFile(process.argv[2], component);
