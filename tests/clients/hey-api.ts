import { client } from "./generated/hey-api/v1/client.gen.js";
import * as api from "./generated/hey-api/v1/index.js";
import { address, department, tell, token } from "./story.ts";

client.setConfig({ baseUrl: address, auth: () => token });

await tell(
  {
    async declareCourse(key) {
      const { data } = await api.putCourse({ path: { key }, body: { department } });
      return data!.id;
    },
    async createPartition(course_id, name) {
      const { data } = await api.createPartition({ path: { course_id }, body: { name } });
      return data!.id;
    },
    async createGroup(partition_id, name, capacity) {
      const { data } = await api.createGroup({ path: { partition_id }, body: { name, capacity } });
      return data!.id;
    },
    async importRoster(csv) {
      const { data } = await api.importRosterCsv({ body: new Blob([csv]) });
      return data!.counts;
    },
    async exportRoster(course_id) {
      const { data } = await api.exportTable({ path: { kind: "roster" }, query: { course_id } });
      return data!;
    },
    async enrollments(course_id, cursor) {
      const { data } = await api.listEnrollments({
        path: { course_id },
        query: { limit: 1, cursor },
      });
      return { users: data!.items.map((each) => each.user_id), next: data!.next_cursor };
    },
    async assign(group_id, user_id) {
      const { data } = await api.assignMember({ path: { group_id, user_id } });
      return data!.changed;
    },
    async members(group_id) {
      const { data } = await api.listMembers({ path: { group_id } });
      return data!.items.map((each) => each.id);
    },
    async readGroup(group_id) {
      const { data, response } = await api.getGroup({ path: { group_id } });
      return { capacity: data!.capacity, tag: response!.headers.get("etag") };
    },
    async writeCapacity(group_id, capacity, tag) {
      const { error } = await api.editGroup({
        path: { group_id },
        headers: { "If-Match": tag },
        body: { capacity },
      });
      if (error === undefined) return [];
      if (!("changes" in error)) throw new Error(error.code);
      return (error as api.ConflictProblem).changes.map((each) => each.kind);
    },
    async renameUser(user_id, given_name) {
      const { data } = await api.editUser({ path: { user_id }, body: { given_name } });
      return { given: data!.given_name, family: data!.family_name };
    },
  },
  "hey-api",
);
