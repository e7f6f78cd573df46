// The inventory component in Node: runs one session of commands and queries, and prints each event
// and each answer as a line of JSON.
//
//     npm ci
//     HOLDFAST_COMPONENT=/path/to/domain.wasm npm run transpile
//     npm start
//
// `transpile` turns the component into a core module with JavaScript around it, in generated/, and
// connects its two imports to storage.js and event-sink.js. The files that this one imports do not
// need Node: the page in ../browser uses them too.

import { session } from "./session.js";

for (const line of session()) {
  console.log(line);
}
