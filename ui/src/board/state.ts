/** The board of one course: as the service told it, with what has been moved here since. */

import { computed, signal } from "@preact/signals";
import { api, ask, Refusal, type Schemas } from "../api/client";
import { may } from "../session";
import { settled } from "./writes";

export type Board = Schemas["BoardOut"];
export type Partition = Schemas["BoardPartition"];
export type Group = Schemas["BoardGroup"];
export type Person = Schemas["MemberOut"];
/** A group, or null for those who are in none. */
export type Target = number | null;

export const board = signal<Board | null>(null);
export const failure = signal<Refusal | null>(null);
let tag: string | null = null;

// Moves leave it as it is: whoever shows people is not drawn again for each of them.
const users = computed(() => board.value?.users ?? null);

export const people = computed(() => new Map((users.value ?? []).map((person) => [person.id, person])));
/** The service lists people by name: their places in that list order them everywhere. */
const ranks = computed(() => new Map((users.value ?? []).map((person, rank) => [person.id, rank])));

export const canWrite = computed(
  () => board.value !== null && !board.value.course.is_locked && may("groups:write", board.value.course),
);

/** Load the board, or look whether it has changed. */
export async function load(course: number): Promise<void> {
  if (board.value?.course.id !== course) {
    board.value = null;
    tag = null;
    failure.value = null;
  }
  await settled();
  const before = board.value;
  try {
    const { data, response } = await ask(
      api.GET("/v1/courses/{course_id}/board", {
        params: {
          path: { course_id: course },
          ...(tag === null ? {} : { header: { "If-None-Match": tag } }),
        },
      }),
    );
    failure.value = null;
    if (response.status === 304) return;
    // What was moved meanwhile is newer than this answer.
    if (board.value !== before) {
      await settled();
      return await load(course);
    }
    board.value = data;
    tag = response.headers.get("etag");
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // Of that the page for signing in tells.
    if (error.status !== 401) failure.value = error;
  }
}

let opening: { course: number; done: Promise<void> } | null = null;

/** Load the board of a page that opens, once, whoever asks for it first. */
export function open(course: number): Promise<void> {
  if (opening?.course !== course) {
    const done = load(course).finally(() => (opening = null));
    opening = { course, done };
  }
  return opening.done;
}

export async function reload(): Promise<void> {
  tag = null;
  if (board.value !== null) await load(board.value.course.id);
}

export function partitionOf(id: number | null): Partition | null {
  const partitions = board.value?.partitions ?? [];
  return partitions.find((each) => each.id === id) ?? partitions[0] ?? null;
}

export function groupOf(id: number): Group | null {
  for (const partition of board.value?.partitions ?? [])
    for (const group of partition.groups) if (group.id === id) return group;
  return null;
}

/** Those in a column now, which may not be drawn yet. */
export function membersOf(partition: number, column: Target): readonly number[] {
  const found = partitionOf(partition);
  if (column === null) return found?.unassigned ?? [];
  return found?.groups.find((group) => group.id === column)?.members ?? [];
}

/** In which group of the partition each of its people is. */
export function placesIn(partition: Partition): Map<number, Target> {
  const places = new Map<number, Target>();
  for (const id of partition.unassigned ?? []) places.set(id, null);
  for (const group of partition.groups) for (const id of group.members ?? []) places.set(id, group.id);
  return places;
}

/** Put people where ``to`` says, on this page alone; what does not change stays the same object. */
export function place(partition: number, to: ReadonlyMap<number, Target>): void {
  if (board.value === null) return;
  // The next look is not spared by the tag of a board that is no longer shown.
  tag = null;
  board.value = {
    ...board.value,
    partitions: board.value.partitions.map((each) => (each.id === partition ? placed(each, to) : each)),
  };
}

function placed(partition: Partition, to: ReadonlyMap<number, Target>): Partition {
  const coming = new Map<Target, number[]>();
  for (const [person, target] of to) coming.set(target, [...(coming.get(target) ?? []), person]);
  const edit = (ids: number[], target: Target) => {
    const added = coming.get(target) ?? [];
    const left = ids.filter((id) => !to.has(id));
    if (added.length === 0 && left.length === ids.length) return ids;
    return [...left, ...added].sort((a, b) => (ranks.value.get(a) ?? 0) - (ranks.value.get(b) ?? 0));
  };
  const unassigned = edit(partition.unassigned ?? [], null);
  return {
    ...partition,
    unassigned,
    unassigned_count: unassigned.length,
    groups: partition.groups.map((group) => {
      const members = edit(group.members ?? [], group.id);
      return members === group.members ? group : { ...group, members, member_count: members.length };
    }),
  };
}
