// The inventory component in Node: runs one session of commands and queries, and prints what
// happened, one JSON object per line.
//
//     npm ci
//     HOLDFAST_COMPONENT=/path/to/domain.wasm npm run transpile
//     npm start
//
// `transpile` turns the component into a core module and the JavaScript around it, in generated/,
// and ties its two imports to storage.js and event-sink.js. Nothing that this file imports needs
// Node: the page in ../browser runs the same files.

import { session } from "./session.js";

for (const line of session()) {
  console.log(line);
}
