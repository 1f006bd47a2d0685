/** What has happened, for the line that screen readers follow; and what others have done. */

import { signal } from "@preact/signals";

export interface Action {
  label: "undo" | "redo";
  act: () => void;
}

export interface News {
  text: string;
  action: Action | null;
}

export interface Heard {
  id: number;
  actor: string;
  text: string;
}

export interface Complaint {
  text: string;
  /** Who did what, so that it could not be done. */
  lines: readonly string[];
}

export const news = signal<News | null>(null);
export const complaint = signal<Complaint | null>(null);
/** The last that others have done, and up to which of them it is shown no more. */
export const heard = signal<readonly Heard[]>([]);
export const seen = signal(0);
/** Whom others have just moved, and who did. */
export const touched = signal<ReadonlyMap<number, string>>(new Map());

/** Milliseconds that it is shown once somebody is there to see it, and that those who were moved are
 * marked. */
const SHOWN = 8_000;
const MARKED = 300_000;
const MOST = 3;
const KEPT = 20;

/** It stays until something else happens: nobody has to read fast. */
export function tell(text: string, action: Action | null = null): void {
  complaint.value = null;
  news.value = { text, action };
}

export function complain(text: string, lines: readonly string[] = []): void {
  news.value = null;
  complaint.value = { text, lines };
}

let count = 0;
let quiet: ReturnType<typeof setTimeout> | undefined;

export function hear(actor: string, text: string, people: readonly number[]): void {
  count += 1;
  heard.value = [...heard.value, { id: count, actor, text }].slice(-KEPT);
  seen.value = Math.max(seen.value, count - MOST);
  keepShown();
  mark(actor, people);
}

const SIGNS_OF_LIFE = ["pointermove", "pointerdown", "keydown"];

/** Not while somebody reads it. */
export function keepShown(): void {
  clearTimeout(quiet);
  for (const each of SIGNS_OF_LIFE) addEventListener(each, beginToFade, { once: true });
}

function beginToFade(): void {
  clearTimeout(quiet);
  quiet = setTimeout(dismiss, SHOWN);
}

export function holdShown(): void {
  clearTimeout(quiet);
}

export function dismiss(): void {
  clearTimeout(quiet);
  seen.value = count;
}

function mark(actor: string, people: readonly number[]): void {
  if (people.length === 0) return;
  touched.value = new Map([...touched.value, ...people.map((id) => [id, actor] as const)]);
  setTimeout(() => unmark(people), MARKED);
}

/** Who is moved from here is where this page says. */
export function unmark(people: Iterable<number>): void {
  const left = new Map(touched.value);
  for (const id of people) left.delete(id);
  if (left.size < touched.value.size) touched.value = left;
}

/** For another course. */
export function silence(): void {
  news.value = complaint.value = null;
  touched.value = new Map();
  heard.value = [];
  dismiss();
}
