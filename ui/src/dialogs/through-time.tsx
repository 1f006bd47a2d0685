/** What was true after each change: of a group who was in it, of a person where they were. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { Refusal } from "../api/client";
import { when, words } from "../words/language";
import { Failed, type Failure, failureOf } from "./form";

interface Props<T> {
  /** Oldest first. */
  times: string[];
  hint: string;
  read: (time: string) => Promise<T>;
  title: (found: T) => string;
  children: (found: T) => ComponentChildren;
}

export function ThroughTime<T>({ times, hint, read, title, children }: Props<T>) {
  const back = useSignal(0);
  const found = useSignal<T | null>(null);
  const failed = useSignal<Failure | null>(null);
  const last = times.length - 1;
  const at = Math.max(0, last - back.value);
  const time = times[at];
  useEffect(() => {
    if (time === undefined) return;
    let isCurrent = true;
    const timer = setTimeout(async () => {
      try {
        const then = await read(time);
        if (isCurrent) [found.value, failed.value] = [then, null];
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (isCurrent) failed.value = failureOf(error);
      }
    }, 100);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [time]);
  if (time === undefined) return null;
  return (
    <div class="through-time">
      <h3 id="through-time">{words.value.asOf}</h3>
      <p class="hint" id="through-time-hint">
        {hint}
      </p>
      <input
        type="range"
        min={0}
        max={last}
        value={at}
        disabled={last === 0}
        aria-labelledby="through-time"
        aria-describedby="through-time-hint"
        aria-valuetext={words.value.after(when(time))}
        onInput={(event) => (back.value = last - Number(event.currentTarget.value))}
      />
      <p>
        {words.value.after(when(time))}
        {found.value !== null && (
          <>
            : <strong>{title(found.value)}</strong>
          </>
        )}
      </p>
      <Failed of={failed.value} />
      {found.value !== null && children(found.value)}
    </div>
  );
}
