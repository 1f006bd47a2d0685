/** Requests that change something, one after the other: they are done in the order they were made. */

import { signal } from "@preact/signals";

/** How many are under way. */
export const saving = signal(0);

let queue: Promise<unknown> = Promise.resolve();

export function write<T>(job: () => Promise<T>): Promise<T> {
  saving.value += 1;
  const done = queue.then(job).finally(() => (saving.value -= 1));
  queue = done.catch(() => undefined);
  return done;
}

/** When none is under way any more. */
export async function settled(): Promise<void> {
  while (saving.value > 0) await queue;
}

addEventListener("beforeunload", (event) => {
  if (saving.value > 0) event.preventDefault();
});
