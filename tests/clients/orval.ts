import * as api from "./generated/orval/v1.ts";
import { address, department, tell, token } from "./story.ts";

const authorization = `Bearer ${token}`;
const plain = globalThis.fetch;
globalThis.fetch = (path, options) =>
  plain(`${address}${path}`, {
    ...options,
    headers: { authorization, ...(options?.headers as Record<string, string>) },
  });

/** The data of an answer, when it is the one that was hoped for. */
function good<A extends { status: number; data: unknown }, S extends A["status"]>(
  answer: A,
  ...statuses: S[]
): Extract<A, { status: S }>["data"] {
  if (!statuses.some((each) => each === answer.status)) throw new Error(JSON.stringify(answer));
  return answer.data as Extract<A, { status: S }>["data"];
}

await tell(
  {
    async declareCourse(key) {
      return good(await api.putCourse(key, { department }), 200, 201).id;
    },
    async createPartition(course, name) {
      return good(await api.createPartition(course, { name }), 201).id;
    },
    async createGroup(partition, name, capacity) {
      return good(await api.createGroup(partition, { name, capacity }), 201).id;
    },
    async importRoster(csv) {
      return good(await api.importRosterCsv(new Blob([csv])), 200).counts;
    },
    async exportRoster(course_id) {
      const found = good(await api.exportTable("roster", { course_id }), 200);
      return typeof found === "string" ? found : found.text(); // A workbook would be a Blob.
    },
    async enrollments(course, cursor) {
      const page = good(await api.listEnrollments(course, { limit: 1, cursor }), 200);
      return { users: page.items.map((each) => each.user_id), next: page.next_cursor };
    },
    async assign(group, user) {
      return good(await api.assignMember(group, user), 200).changed;
    },
    async members(group) {
      return (good(await api.listMembers(group), 200) as api.PageOutMemberOut).items.map((each) => each.id);
    },
    async readGroup(group) {
      const answer = await api.getGroup(group);
      return { capacity: good(answer, 200).capacity, tag: answer.headers.get("etag") };
    },
    async writeCapacity(group, capacity, tag) {
      const answer = await api.editGroup(group, { capacity }, { "If-Match": tag });
      return answer.status === 412 ? answer.data.changes.map((each) => each.kind) : [];
    },
    async renameUser(user, given_name) {
      const found = good(await api.editUser(user, { given_name }), 200);
      return { given: found.given_name, family: found.family_name };
    },
  },
  "orval",
);
