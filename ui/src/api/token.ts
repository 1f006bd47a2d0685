/** The token of the one who is signed in: in this tab alone, gone when it closes. */

import { signal } from "@preact/signals";

const KEY = "groupsvc-token";

export const token = signal<string | null>(sessionStorage.getItem(KEY));

export function keep(value: string | null): void {
  if (value === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, value);
  token.value = value;
}
