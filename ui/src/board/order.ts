/** The order of groups and of partitions. */

import { api, get, Refusal } from "../api/client";
import { explain } from "../words/explain";
import { words } from "../words/language";
import { complain, tell } from "./news";
import { board, groupOf, partitionOf, reload } from "./state";
import { write } from "./writes";

/** A change that is not shown before it is written. True when it was. */
export async function change(job: () => Promise<unknown>, done: string): Promise<boolean> {
  try {
    await write(job);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    complain(explain(error));
    if (error.status !== 0) await reload();
    return false;
  }
  tell(done);
  await reload();
  return true;
}

function moved(ids: number[], id: number, to: number): number[] {
  const rest = ids.filter((each) => each !== id);
  rest.splice(to, 0, id);
  return rest;
}

function orderGroups(partition: number, body: { ids: number[] } | { by: "name" }, done: string) {
  const path = { partition_id: partition };
  return change(
    () => get(api.PUT("/v1/partitions/{partition_id}/groups/order", { params: { path }, body })),
    done,
  );
}

/** To the place that another group has now. */
export function moveGroup(partition: number, id: number, onto: number): Promise<boolean> {
  const ids = partitionOf(partition)!.groups.map((group) => group.id);
  return shiftGroup(partition, id, ids.indexOf(onto) - ids.indexOf(id));
}

export async function shiftGroup(partition: number, id: number, by: number): Promise<boolean> {
  const ids = partitionOf(partition)!.groups.map((group) => group.id);
  const to = ids.indexOf(id) + by;
  if (by === 0 || to < 0 || to >= ids.length) return false;
  const done = words.value.placed(groupOf(id)?.name ?? "", to + 1, ids.length);
  return orderGroups(partition, { ids: moved(ids, id, to) }, done);
}

export function sortGroups(partition: number): Promise<boolean> {
  return orderGroups(partition, { by: "name" }, words.value.sorted);
}

export async function shiftPartition(id: number, by: number): Promise<boolean> {
  const { course, partitions } = board.value!;
  const ids = partitions.map((each) => each.id);
  const to = ids.indexOf(id) + by;
  if (by === 0 || to < 0 || to >= ids.length) return false;
  const name = partitionOf(id)!.name;
  const path = { course_id: course.id };
  const body = { ids: moved(ids, id, to) };
  return change(
    () => get(api.PUT("/v1/courses/{course_id}/partitions/order", { params: { path }, body })),
    words.value.placed(name, to + 1, ids.length),
  );
}
