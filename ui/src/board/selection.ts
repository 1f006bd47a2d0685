/** Who is selected, and who was found. */

import { computed, signal } from "@preact/signals";
import { people, type Person, type Target } from "./state";

export const selected = signal<ReadonlySet<number>>(new Set());
export const query = signal("");
/** Where the keyboard is. */
export const active = signal<{ column: Target; person: number } | null>(null);
/** From where a range extends. */
let anchor: number | null = null;

/** Letters without case and accents. */
export function folded(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

const searchable = computed(
  () =>
    new Map(
      [...people.value.values()].map((each) => [
        each.id,
        folded(
          `${each.given_name} ${each.family_name} ${each.given_name} ${each.username} ${each.email ?? ""} ${each.student_number ?? ""}`,
        ),
      ]),
    ),
);

/** Those who match the search; null when nothing is searched. Every word has to be there. */
export const found = computed<ReadonlySet<number> | null>(() => {
  const words = folded(query.value).split(/\s+/).filter(Boolean);
  if (words.length === 0) return null;
  const ids = new Set<number>();
  for (const [id, text] of searchable.value)
    if (words.every((word) => text.includes(word))) ids.add(id);
  return ids;
});

export function shown(ids: readonly number[]): readonly number[] {
  const only = found.value;
  return only === null ? ids : ids.filter((id) => only.has(id));
}

export function select(ids: Iterable<number>): void {
  selected.value = new Set(ids);
}

export function only(id: number): void {
  anchor = id;
  select([id]);
}

export function toggle(id: number): void {
  anchor = id;
  const next = new Set(selected.value);
  if (!next.delete(id)) next.add(id);
  selected.value = next;
}

/** From the last one that was chosen alone, in the list as it is shown. */
export function extend(id: number, list: readonly number[]): void {
  const from = list.indexOf(anchor ?? id);
  const to = list.indexOf(id);
  if (from < 0) return only(id);
  select([...selected.value, ...list.slice(Math.min(from, to), Math.max(from, to) + 1)]);
}

export function clear(): void {
  if (selected.value.size > 0) select([]);
}

export function nameOf(person: Person | undefined): string {
  return person ? `${person.family_name} ${person.given_name}`.trim() || person.username : "?";
}
