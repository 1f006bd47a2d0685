/** The keys of a list of people; the arrows and Space as in any list of the system. */

import { openMove } from "../dialogs/move";
import { move } from "./moves";
import { active, clear, extend, only, select, selected, shown, toggle } from "./selection";
import { canWrite, membersOf, type Partition, partitionOf, type Target } from "./state";

const PAGE = 10;

export function pressed(event: KeyboardEvent, partition: number, column: Target): void {
  const list = shown(membersOf(partition, column));
  const person = active.value?.column === column ? active.value.person : undefined;
  const at = person === undefined ? -1 : list.indexOf(person);
  const withCtrl = event.ctrlKey || event.metaKey;
  const to = { ArrowUp: at - 1, ArrowDown: at + 1, PageUp: at - PAGE, PageDown: at + PAGE, Home: 0, End: list.length }[
    event.key
  ];
  if (to !== undefined) step(list, column, to, event.shiftKey);
  else if (event.key === " " && person !== undefined) event.shiftKey ? extend(person, list) : toggle(person);
  else if (event.key === "a" && withCtrl) select([...selected.value, ...list]);
  else if (event.key === "Escape") clear();
  else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
    const by = event.key === "ArrowLeft" ? -1 : 1;
    if (withCtrl) carry(partition, column, by, person);
    else cross(partition, column, by);
  } else if (event.key === "Enter" || event.key === "m") {
    if (!withSelection(person) || !canWrite.value) return;
    openMove(partitionOf(partition)!);
  } else return;
  event.preventDefault();
}

/** What the keys act on: the selection, or whoever the keyboard is on. */
function withSelection(person: number | undefined): boolean {
  if (selected.value.size === 0 && person !== undefined) only(person);
  return selected.value.size > 0;
}

function step(list: readonly number[], column: Target, to: number, isRange: boolean): void {
  const person = list[Math.max(0, Math.min(list.length - 1, to))];
  if (person === undefined) return;
  if (isRange && active.value?.column === column && selected.value.size === 0) only(active.value.person);
  active.value = { column, person };
  if (isRange) extend(person, list);
  document.getElementById(`person-${person}`)?.scrollIntoView({ block: "nearest" });
}

function columnsOf(partition: Partition): Target[] {
  return [null, ...partition.groups.map((group) => group.id)];
}

function neighbour(partition: number, column: Target, by: number): Target | undefined {
  const columns = columnsOf(partitionOf(partition)!);
  return columns[columns.indexOf(column) + by];
}

export function listOf(column: Target): HTMLElement | null {
  return document.querySelector(`[data-column="${column ?? "none"}"] [role=listbox]`);
}

function cross(partition: number, column: Target, by: number): void {
  const next = neighbour(partition, column, by);
  if (next !== undefined) listOf(next)?.focus();
}

/** Into the next column, and the keyboard with them. */
function carry(partition: number, column: Target, by: number, person: number | undefined): void {
  const next = neighbour(partition, column, by);
  if (next === undefined || !canWrite.value || !withSelection(person)) return;
  const [first] = selected.value;
  void move(partition, selected.value, next);
  const list = shown(membersOf(partition, next));
  if (first !== undefined && list.includes(first)) active.value = { column: next, person: first };
  listOf(next)?.focus();
}
