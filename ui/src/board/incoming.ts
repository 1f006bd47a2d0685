/** What the stream of events tells, put on the board.
 *
 * It waits while something is pressed, dragged, written or loaded. Moves are put where they belong; what
 * changes more than that is looked up.
 */

import { batch, effect, signal } from "@preact/signals";
import { isOwn } from "../api/client";
import { type Change, changesets, describe } from "./changes";
import { held } from "./drag";
import { expectNobody, isExpected, met } from "./expected";
import { hear } from "./news";
import { active, shown } from "./selection";
import { board, groupOf, load, loading, membersOf, partitionOf, people, place, type Target } from "./state";
import { saving } from "./writes";

/** Above this it is less work to look at the whole course. */
const MOST = 300;
/** Milliseconds in which changes gather, and until a look, so that not all who follow look at once. */
const GATHER = 40;
const SPREAD = 600;

let waiting: Change[] = [];
const has = signal(false);
let timer: ReturnType<typeof setTimeout> | undefined;
let lookTimer: ReturnType<typeof setTimeout> | undefined;
let following: number | null = null;

export function take(change: Change): void {
  waiting.push(change);
  has.value = true;
}

/** A board that was loaded now has whatever the stream told before. */
export async function begin(course: number): Promise<void> {
  following = course;
  await load(course);
  expectNobody();
}

export function forget(): void {
  waiting = [];
  has.value = false;
  following = null;
  clearTimeout(timer);
  clearTimeout(lookTimer);
  expectNobody();
}

effect(() => {
  const isFree = has.value && !held.value && saving.value === 0 && !loading.value;
  clearTimeout(timer);
  if (isFree) timer = setTimeout(absorb, GATHER);
});

function absorb(): void {
  const changes = waiting;
  waiting = [];
  batch(() => {
    has.value = false;
    const others = changes.filter((each) => !isOwn(each.request_id));
    const places = placesAfter(changes);
    if (changes.length <= MOST && changes.every(isMove)) for (const [partition, moves] of places) settle(partition, moves);
    else lookSoon();
    tellOf(others);
  });
}

function isMembership(change: Change): boolean {
  return change.kind.startsWith("membership.");
}

/** Is nothing else to be shown of it than somebody known who goes from group to group? */
function isMove(change: Change): boolean {
  // After the others that are made here the board is loaded.
  if (!isMembership(change)) return isOwn(change.request_id);
  const target = targetOf(change);
  const person = people.value.get(change.user_id ?? 0);
  // Whoever is not enrolled and in no group is not shown.
  return person !== undefined && (target === null ? person.state !== null : groupOf(target) !== null);
}

function targetOf(change: Change): Target {
  const id = change.after?.["group_id"];
  return typeof id === "number" ? id : null;
}

type Places = Map<number, Map<number, Target>>;

/** Where people are now, but for those of whom something newer was done here. */
function placesAfter(changes: readonly Change[]): Places {
  const places: Places = new Map();
  for (const change of changes) {
    const { partition_id: partition, user_id: person } = change;
    if (!isMembership(change) || partition === null || person === null) continue;
    if (isOwn(change.request_id)) met(partition, person);
    if (isExpected(partition, person)) continue;
    const moves = places.get(partition) ?? new Map<number, Target>();
    places.set(partition, moves.set(person, targetOf(change)));
  }
  return places;
}

/** Put them there; whoever stood on one of them with the keyboard stands on the next one. */
function settle(partition: number, moves: ReadonlyMap<number, Target>): void {
  if (partitionOf(partition)?.id !== partition) return;
  const at = active.value;
  if (at !== null && moves.has(at.person) && moves.get(at.person) !== at.column) {
    const list = shown(membersOf(partition, at.column)).filter((id) => id === at.person || !moves.has(id));
    const next = list.indexOf(at.person);
    const person = list[next + 1] ?? list[next - 1];
    if (next >= 0) active.value = person === undefined ? null : { column: at.column, person };
  }
  place(partition, moves);
}

function lookSoon(): void {
  clearTimeout(lookTimer);
  lookTimer = setTimeout(
    () => following !== null && board.value !== null && void load(following),
    Math.random() * SPREAD,
  );
}

function tellOf(others: readonly Change[]): void {
  for (const each of changesets(others)) hear(each.actor, describe(each.changes), peopleIn(each.changes));
}

function peopleIn(changes: readonly Change[]): number[] {
  return changes.filter(isMembership).flatMap((each) => (each.user_id === null ? [] : [each.user_id]));
}
