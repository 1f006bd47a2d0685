/** Lines of the change log: what they say, and which belong together. */

import type { Schemas } from "../api/client";
import { words } from "../words/language";
import { nameOf } from "./selection";
import { board, groupOf, people } from "./state";

export type Change = Schemas["ChangeOut"];
/** As an undo tells of them, too. */
export type Told = Pick<Change, "kind" | "partition_id" | "group_id" | "user_id" | "before" | "after">;

export interface Changeset {
  id: string;
  actor: string;
  at: string;
  cause: string | null;
  request: string | null;
  changes: Change[];
}

/** In the order in which each of them comes first. */
export function changesets(changes: Iterable<Change>): Changeset[] {
  const found = new Map<string, Changeset>();
  for (const change of changes) {
    const { changeset_id: id, actor, at, cause, request_id: request } = change;
    const known = found.get(id);
    if (known) known.changes.push(change);
    else found.set(id, { id, actor, at, cause, request, changes: [change] });
  }
  return [...found.values()];
}

type Side = "before" | "after";

function text(change: Told, side: Side, key: string): string | null {
  const value = change[side]?.[key];
  return typeof value === "string" ? value : null;
}

/** A group by the name that it has, or had in the line. */
export function groupName(change: Told, side: Side): string {
  const id = change[side]?.["group_id"];
  const known = typeof id === "number" ? groupOf(id)?.name : null;
  return text(change, side, "group_name") ?? text(change, side, "name") ?? known ?? (typeof id === "number" ? `#${id}` : "?");
}

export function partitionName(change: Told): string {
  return board.value?.partitions.find((each) => each.id === change.partition_id)?.name ?? "";
}

function whoIsIn(changes: readonly Told[], count: number): string {
  const [only] = changes;
  return count === 1 && only ? nameOf(people.value.get(only.user_id ?? 0)) : words.value.people(count);
}

/** What was done, in one sentence. ``counts`` are those of all lines, where some are left out. */
export function describe(changes: readonly Told[], counts?: Readonly<Record<string, number>>): string {
  const of = (kind: string) => changes.filter((each) => each.kind === kind);
  const count = (kind: string) => counts?.[kind] ?? of(kind).length;
  const groups = describeNoun("partition", of, count) ?? describeNoun("group", of, count);
  const moved = [...of("membership.assigned"), ...of("membership.moved")];
  const moves = moved.length > 0 ? describeMoves(moved, count("membership.assigned") + count("membership.moved")) : "";
  // Those of a group that is deleted are out of it with that.
  const taken = groups ? [] : of("membership.removed");
  const removals = taken.length > 0 ? words.value.removed(whoIsIn(taken, count("membership.removed"))) : "";
  return [groups, moves, removals].filter((each) => each).join(" ") || describeRest(changes, of);
}

function describeMoves(moved: readonly Told[], all: number): string {
  const targets = new Set(moved.map((each) => groupName(each, "after")));
  const [only] = targets;
  const who = whoIsIn(moved, all);
  return targets.size === 1 && only ? words.value.moved(who, only) : words.value.movedAround(who, targets.size);
}

type Of = (kind: string) => Told[];

function describeNoun(noun: "partition" | "group", of: Of, count: (kind: string) => number): string | null {
  const { created, createdMany, deleted, deletedMany, changed, renamed, ordered } = words.value;
  const made = of(`${noun}.created`);
  const gone = of(`${noun}.deleted`);
  const edited = of(`${noun}.updated`);
  // What has no name is the part of every course that is all of it.
  if (noun === "partition" && made.some((each) => groupName(each, "after") === "?")) return words.value.courseCreated;
  if (made.length === 1) return created(groupName(made[0]!, "after"));
  if (made.length > 0) return createdMany(count(`${noun}.created`));
  if (gone.length === 1) return deleted(groupName(gone[0]!, "before"));
  if (gone.length > 0) return deletedMany(count(`${noun}.deleted`));
  if (edited.length === 0) return null;
  const named = edited.find((each) => groupName(each, "before") !== groupName(each, "after"));
  if (named) return renamed(groupName(named, "before"), groupName(named, "after"));
  const [first] = edited.filter((each) => !isPlaceAlone(each));
  return first ? changed(groupName(first, "after")) : ordered;
}

/** Is its place in the list all that is new? */
function isPlaceAlone({ before, after }: Told): boolean {
  const keys = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  const differ = [...keys].filter((key) => JSON.stringify(before?.[key]) !== JSON.stringify(after?.[key]));
  return differ.every((key) => key === "position");
}

function describeRest(changes: readonly Told[], of: Of): string {
  const [course] = of("course.updated");
  const locked = (side: Side) => course?.[side]?.["is_locked"] === true;
  if (course && locked("after") !== locked("before")) return locked("after") ? words.value.wasLocked : words.value.wasUnlocked;
  const [first] = changes;
  return words.value.otherChange(first?.kind ?? "", changes.length);
}
