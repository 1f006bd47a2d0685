// Addresses of registries and sponsors are not needed to install, and differ between machines.

import { readFileSync, writeFileSync } from "node:fs";

const file = process.argv[2];
const lock = JSON.parse(readFileSync(file, "utf8"));
for (const each of Object.values(lock.packages)) {
  delete each.resolved;
  delete each.funding;
}
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
