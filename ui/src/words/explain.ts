/** Refusals in words. What the editor does not know is told as the service tells it. */

import type { Refusal } from "../api/client";
import { words } from "./language";

export function explain(refusal: Refusal, group?: string): string {
  const { problems, codes } = words.value;
  const { code = "", changes, errors } = refusal.problem;
  switch (refusal.status) {
    case 0:
      return problems.offline;
    case 401:
      return problems.ended;
    case 403:
      return problems.forbidden;
    case 404:
      return problems.notFound;
    case 412:
      return problems.stale(changes?.[0]?.actor ?? problems.somebody);
    case 429:
      return problems.tooMany;
    case 502:
    case 503:
    case 504:
      return problems.busy(refusal.retryAfter);
  }
  if (code === "group_full") return problems.full(group ?? problems.thisGroup);
  const known = codes[code] ?? codes[errors?.[0]?.code ?? ""];
  return known ?? problems.unexpected(errors?.[0]?.message ?? refusal.problem.detail ?? String(refusal.status));
}
