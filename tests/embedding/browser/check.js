// Opens the page in a headless Chromium and prints the lines of its session.

import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { serve } from "./server.js";

async function domOf(url) {
  const profile = await mkdtemp(join(tmpdir(), "holdfast-page-"));
  try {
    const { stdout } = await promisify(execFile)("chromium", [
      "--headless",
      "--no-sandbox", // the sandbox does not work as root and in most containers
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      `--user-data-dir=${profile}`,
      // The load event does not wait for a module that awaits. Virtual time stands still while
      // requests are under way.
      "--virtual-time-budget=10000",
      "--dump-dom",
      url,
    ], { timeout: 60_000 });
    return stdout;
  } finally {
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

function textOf(id, dom) {
  const [, html] = dom.match(new RegExp(`<pre id="${id}">([^<]*)</pre>`)) ?? [];
  if (!html) throw new Error(`the page has nothing in #${id}:\n${dom}`);
  // Undoes every escape of a serialised text; "&" comes last, because it would make new entities.
  return html
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&nbsp;", "\u00a0")
    .replaceAll("&amp;", "&");
}

const { url, close } = await serve();
try {
  process.stdout.write(textOf("events", await domOf(url)));
} finally {
  close();
}
