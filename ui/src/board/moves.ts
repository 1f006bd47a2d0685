/** Moving people: shown at once, then written, and taken back when that is refused. */

import { api, get, Refusal, type Schemas } from "../api/client";
import { explain } from "../words/explain";
import { words } from "../words/language";
import { complain, tell } from "./news";
import { clear, nameOf } from "./selection";
import { groupOf, partitionOf, people, place, placesIn, reload, type Target } from "./state";
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
  clear();
  try {
    const elsewhere = await write(() => send(partition, moves, before));
    tell(sentence(moves) + elsewhere, () => rearrange(partition, before, () => words.value.undone));
    return true;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    takeBack(partition, moves, before);
    complain(explain(error, targetOf(moves)));
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

/** What to add about somebody who was not where this page had shown them. */
async function send(partition: number, moves: Moves, before: Moves): Promise<string> {
  const results = moves.size === 1 ? [await one(partition, ...[...moves][0]!)] : await many(partition, moves);
  const strays = results.filter(
    (row) => row.user_id != null && (row.previous_group_id ?? null) !== (before.get(row.user_id) ?? null),
  );
  return strays.length === 0 ? "" : ` ${words.value.wereElsewhere(strays.length)}`;
}

type Result = Pick<Schemas["AssignmentRowOut"], "user_id" | "previous_group_id">;

async function one(partition: number, user_id: number, group: Target): Promise<Result> {
  if (group !== null)
    return get(
      api.PUT("/v1/groups/{group_id}/members/{user_id}", {
        params: { path: { group_id: group, user_id } },
      }),
    );
  await get(
    api.DELETE("/v1/partitions/{partition_id}/members/{user_id}", {
      params: { path: { partition_id: partition, user_id } },
    }),
  );
  return { user_id: null, previous_group_id: null };
}

async function many(partition: number, moves: Moves): Promise<Result[]> {
  const answer = await get(
    api.POST("/v1/partitions/{partition_id}/assignments", {
      params: { path: { partition_id: partition } },
      body: {
        rows: [...moves].map(([user_id, group_id]) => ({ user_id, group_id })),
        mode: "all_or_nothing",
        dry_run: false,
      },
    }),
  );
  const refused = answer.rows.filter((row) => row.result === "refused");
  if (refused.length > 0) throw new Refusal(409, { code: refused[0]!.code ?? "conflict" });
  return answer.rows;
}
