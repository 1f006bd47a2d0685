/** When to look again. What other people do is seen when the window gets the focus back. */

import { effect } from "@preact/signals";
import { complaint } from "./news";
import { failure, load } from "./state";

/** Of what is over in a moment: nobody has to press a button. */
const PASSING = [0, 429, 502, 503, 504];

export function follow(course: number): () => void {
  const look = () => {
    if (document.visibilityState === "visible") void load(course);
  };
  const back = () => {
    complaint.value = null;
    look();
  };
  addEventListener("focus", look);
  addEventListener("online", back);
  document.addEventListener("visibilitychange", look);
  const stopTrying = effect(() => {
    const refusal = failure.value;
    if (refusal === null || !PASSING.includes(refusal.status)) return;
    const timer = setTimeout(look, (refusal.retryAfter ?? 5) * 1000);
    return () => clearTimeout(timer);
  });
  return () => {
    stopTrying();
    removeEventListener("focus", look);
    removeEventListener("online", back);
    document.removeEventListener("visibilitychange", look);
  };
}
