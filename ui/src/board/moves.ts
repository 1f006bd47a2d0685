/** Moving people: shown at once, then written, and taken back when that is refused. */

import { api, ask, Refusal, requestOf, type Schemas } from "../api/client";
import { explain, missed } from "../words/explain";
import { words } from "../words/language";
import { expect, met } from "./expected";
import { complain, tell, unmark } from "./news";
import { clear, nameOf } from "./selection";
import { groupOf, partitionOf, people, place, placesIn, reload, type Target } from "./state";
import { told } from "./undo";
import { write } from "./writes";

type Moves = Map<number, Target>;

/** Put all of them into one group, or out of their groups. */
export function move(partition: number, ids: Iterable<number>, to: Target): Promise<boolean> {
  return rearrange(partition, new Map([...ids].map((id) => [id, to])), (moved) => {
    const one = moved.size === 1 ? [...moved.keys()][0] : undefined;
    const who = one === undefined ? words.value.people(moved.size) : nameOf(people.value.get(one));
    return to === null ? words.value.removed(who) : words.value.moved(who, groupOf(to)?.name ?? "");
  });
}

/** One after the other into the smallest group that has a place left; the rest stay. */
export function spread(partition: number, ids: readonly number[]): Promise<boolean> {
  const { groups } = partitionOf(partition)!;
  const going = new Set(ids);
  const rooms = groups.map(({ id, capacity, members }) => ({
    id,
    capacity: capacity ?? Infinity,
    count: (members ?? []).filter((each) => !going.has(each)).length,
  }));
  const moves: Moves = new Map();
  for (const id of ids) {
    const open = rooms.filter((room) => room.count < room.capacity);
    if (open.length === 0) break;
    const room = open.reduce((best, each) => (each.count < best.count ? each : best));
    room.count += 1;
    moves.set(id, room.id);
  }
  const left = ids.length - moves.size;
  return rearrange(
    partition,
    moves,
    () => words.value.spreadOver(moves.size, groups.length) + (left > 0 ? ` ${words.value.noPlace(left)}` : ""),
  );
}

/** Two people change places. */
export function swap(partition: number, first: number, second: number): Promise<boolean> {
  const places = placesIn(partitionOf(partition)!);
  const both: Moves = new Map([
    [first, places.get(second) ?? null],
    [second, places.get(first) ?? null],
  ]);
  const [one, other] = [first, second].map((id) => nameOf(people.value.get(id)));
  return rearrange(partition, both, () => words.value.swapped(one!, other!));
}

async function rearrange(
  partition: number,
  wanted: Moves,
  sentence: (moved: Moves) => string,
): Promise<boolean> {
  const places = placesIn(partitionOf(partition)!);
  const moves: Moves = new Map([...wanted].filter(([id, to]) => places.has(id) && places.get(id) !== to));
  if (moves.size === 0) return true;
  const before: Moves = new Map([...moves.keys()].map((id) => [id, places.get(id) ?? null]));
  place(partition, moves);
  expect(partition, moves.keys());
  unmark(moves.keys());
  clear();
  try {
    const { request, results } = await write(() => send(partition, moves));
    for (const row of results) if (isUnchanged(row)) met(partition, row.user_id!);
    const text = sentence(moves) + elsewhere(results, before);
    if (results.every(isUnchanged)) tell(text);
    else told(text, request);
    return true;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    for (const id of moves.keys()) met(partition, id);
    takeBack(partition, moves, before);
    complain(explain(error, targetOf(moves)), missed(error));
    if (error.status !== 0 && error.status !== 503) await reload();
    return false;
  }
}

function targetOf(moves: Moves): string | undefined {
  const targets = new Set(moves.values());
  const [only] = targets;
  return targets.size === 1 && only != null ? (groupOf(only)?.name ?? undefined) : undefined;
}

/** Those who are still where this move has put them. */
function takeBack(partition: number, moves: Moves, before: Moves): void {
  const now = placesIn(partitionOf(partition)!);
  place(partition, new Map([...before].filter(([id]) => now.get(id) === moves.get(id))));
}

type Result = Pick<Schemas["AssignmentRowOut"], "user_id" | "group_id" | "previous_group_id">;

interface Sent {
  request: string;
  results: Result[];
}

/** Somebody who was there already: the change log has no line of it. */
function isUnchanged(row: Result): boolean {
  return row.group_id === row.previous_group_id;
}

/** What to add about somebody who was not where this page had shown them. */
function elsewhere(results: Result[], before: Moves): string {
  const strays = results.filter((row) => row.previous_group_id !== (before.get(row.user_id!) ?? null));
  return strays.length === 0 ? "" : ` ${words.value.wereElsewhere(strays.length)}`;
}

function send(partition: number, moves: Moves): Promise<Sent> {
  const [[user, group] = [0, null]] = moves;
  return moves.size === 1 && group !== null ? one(user, group) : many(partition, moves);
}

async function one(user_id: number, group_id: number): Promise<Sent> {
  const { data, response } = await ask(
    api.PUT("/v1/groups/{group_id}/members/{user_id}", { params: { path: { group_id, user_id } } }),
  );
  const { previous_group_id } = data;
  return { request: requestOf(response), results: [{ user_id, group_id, previous_group_id }] };
}

async function many(partition: number, moves: Moves): Promise<Sent> {
  const { data, response } = await ask(
    api.POST("/v1/partitions/{partition_id}/assignments", {
      params: { path: { partition_id: partition } },
      body: {
        rows: [...moves].map(([user_id, group_id]) => ({ user_id, group_id })),
        mode: "all_or_nothing",
        dry_run: false,
      },
    }),
  );
  const refused = data.rows.filter((row) => row.result === "refused");
  if (refused.length > 0) throw new Refusal(409, { code: refused[0]!.code ?? "conflict" });
  return { request: requestOf(response), results: data.rows };
}
