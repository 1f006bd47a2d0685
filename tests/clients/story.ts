// What every generated client does: the main story, pages, a conflict, tables.

import assert from "node:assert/strict";

export interface Groups {
  declareCourse(key: string): Promise<number>;
  createPartition(course: number, name: string): Promise<number>;
  createGroup(partition: number, name: string, capacity: number): Promise<number>;
  importRoster(csv: string): Promise<Record<string, number>>;
  exportRoster(course: number): Promise<string>;
  enrollments(course: number, cursor?: string): Promise<{ users: number[]; next: string | null }>;
  assign(group: number, user: number): Promise<boolean>;
  members(group: number): Promise<number[]>;
  readGroup(group: number): Promise<{ capacity: number | null; tag: string | null }>;
  /** What has happened to the group meanwhile, newest first; nothing when it was written. */
  writeCapacity(group: number, capacity: number, tag: string): Promise<string[]>;
  renameUser(user: number, givenName: string): Promise<{ given: string; family: string }>;
}

export const address = process.env.GROUPSVC_ADDRESS!;
export const token = process.env.GROUPSVC_TOKEN!;
export const department = "INFO";

export async function tell(groups: Groups, generator: string): Promise<void> {
  const key = `course-v1:INFO+${generator}+2026`;
  const course = await groups.declareCourse(key);
  const partition = await groups.createPartition(course, "TD");
  const group = await groups.createGroup(partition, "TD1", 2);

  const header = "username,family_name,given_name,course_key\n";
  const rows = [1, 2, 3].map((n) => `${generator}-${n},Famille,Élise,${key}\n`);
  assert.deepEqual(await groups.importRoster(header + rows.join("")), { created: 3 });

  const users: number[] = [];
  let cursor: string | undefined;
  do {
    const page = await groups.enrollments(course, cursor);
    assert.equal(page.users.length, 1);
    users.push(...page.users);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  assert.equal(users.length, 3);

  assert.equal(await groups.assign(group, users[0]!), true);
  assert.equal(await groups.assign(group, users[1]!), true);
  assert.deepEqual(await groups.members(group), users.slice(0, 2));

  const { capacity, tag } = await groups.readGroup(group);
  assert.equal(capacity, 2);
  assert.deepEqual(await groups.writeCapacity(group, 30, tag!), []);
  assert.equal((await groups.writeCapacity(group, 40, tag!))[0], "group.updated");
  assert.equal((await groups.readGroup(group)).capacity, 30);

  assert.deepEqual(await groups.renameUser(users[0]!, "Zoé"), { given: "Zoé", family: "Famille" });
  const table = (await groups.exportRoster(course)).trim().split("\n");
  assert.equal(table.length, 4);
  assert.match(table[0]!, /^username,/);
  console.log(`${generator}: told`);
}
