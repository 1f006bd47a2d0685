import createClient from "openapi-fetch";

import type { paths } from "./generated/openapi-typescript/v1.ts";
import { address, department, tell, token } from "./story.ts";

const headers = { authorization: `Bearer ${token}` };
const client = createClient<paths>({ baseUrl: address, headers });

await tell(
  {
    async declareCourse(key) {
      const { data } = await client.PUT("/v1/courses/by-key/{key}", {
        params: { path: { key } },
        body: { department, title: "A course" },
      });
      return data!.id;
    },
    async createPartition(course_id, name) {
      const { data } = await client.POST("/v1/courses/{course_id}/partitions", {
        params: { path: { course_id } },
        body: { name, groups_editable: true, show_in_lists: true, show_rank_on_report: false },
      });
      return data!.id;
    },
    async createGroup(partition_id, name, capacity) {
      const { data } = await client.POST("/v1/partitions/{partition_id}/groups", {
        params: { path: { partition_id } },
        body: { name, capacity, assignment_type: "manual" },
      });
      return data!.id;
    },
    async importRoster(csv) {
      const { data } = await client.POST("/v1/import/roster.csv", {
        headers: { "Content-Type": "text/csv" },
        body: csv,
        bodySerializer: (text) => text,
      });
      return data!.counts;
    },
    async exportRoster(course_id) {
      const { data } = await client.GET("/v1/export/{kind}", {
        params: { path: { kind: "roster" }, query: { course_id } },
        parseAs: "text",
      });
      return data!;
    },
    async enrollments(course_id, cursor) {
      const { data } = await client.GET("/v1/courses/{course_id}/enrollments", {
        params: { path: { course_id }, query: { limit: 1, cursor } },
      });
      return { users: data!.items.map((each) => each.user_id), next: data!.next_cursor };
    },
    async assign(group_id, user_id) {
      const { data } = await client.PUT("/v1/groups/{group_id}/members/{user_id}", {
        params: { path: { group_id, user_id } },
      });
      return data!.changed;
    },
    async members(group_id) {
      const { data } = await client.GET("/v1/groups/{group_id}/members", {
        params: { path: { group_id } },
      });
      return data!.items.map((each) => each.id);
    },
    async readGroup(group_id) {
      const { data, response } = await client.GET("/v1/groups/{group_id}", {
        params: { path: { group_id } },
      });
      return { capacity: data!.capacity, tag: response.headers.get("etag") };
    },
    async writeCapacity(group_id, capacity, tag) {
      const { error } = await client.PATCH("/v1/groups/{group_id}", {
        params: { path: { group_id }, header: { "If-Match": tag } },
        body: { capacity },
      });
      if (error === undefined) return [];
      if (!("changes" in error)) throw new Error(error.code);
      return (error.changes as { kind: string }[]).map((each) => each.kind);
    },
    async renameUser(user_id, given_name) {
      const { data } = await client.PATCH("/v1/users/{user_id}", {
        params: { path: { user_id } },
        body: { given_name },
      });
      return { given: data!.given_name, family: data!.family_name };
    },
  },
  "openapi-typescript",
);
