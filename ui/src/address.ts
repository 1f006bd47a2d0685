/** Where in the editor somebody is; behind `#`, which no server sees. */

import { signal } from "@preact/signals";

export interface Place {
  course: number | null;
  partition: number | null;
}

function read(): Place {
  const found = /^#\/courses\/(\d+)(?:\/(\d+))?$/.exec(location.hash);
  return {
    course: found ? Number(found[1]) : null,
    partition: found?.[2] ? Number(found[2]) : null,
  };
}

export const place = signal<Place>(read());
addEventListener("hashchange", () => (place.value = read()));

export function addressOf(course: number | null, partition: number | null = null): string {
  if (course === null) return "#/";
  return partition === null ? `#/courses/${course}` : `#/courses/${course}/${partition}`;
}

/** ``replace`` leaves no step for the button that goes back. */
export function go(course: number | null, partition: number | null = null, replace = false): void {
  const address = addressOf(course, partition);
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  place.value = read();
}
addEventListener("popstate", () => (place.value = read()));
