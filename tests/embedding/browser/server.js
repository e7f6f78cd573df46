// Serves the examples' files on a free port of the loopback address.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";

const root = new URL("../", import.meta.url);

// A browser accepts modules and WebAssembly only with these media types.
const types = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};

async function respond(request, response) {
  try {
    // The URL parser resolves every "..", so the path stays below the root.
    const { pathname } = new URL(request.url, "http://localhost");
    const path = pathname.replace(/\/$/, "/index.html");
    const body = await readFile(new URL(`.${path}`, root));
    response.writeHead(200, { "content-type": types[extname(path)] ?? "text/plain" }).end(body);
  } catch {
    response.writeHead(404).end();
  }
}

/** Starts the server. Returns `{ url, close }`, with the URL of the page. */
export async function serve() {
  const server = createServer(respond);
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${server.address().port}/browser/`,
    close: () => server.close(),
  };
}
