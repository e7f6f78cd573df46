// Serves the page until it is stopped: `npm run page` in ../node.

import { serve } from "./server.js";

const { url } = await serve();
console.log(url);
