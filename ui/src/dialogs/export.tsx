import { useSignal } from "@preact/signals";
import { api, ask } from "../api/client";
import { board, type Partition } from "../board/state";
import { Dialog } from "../parts/dialog";
import { words } from "../words/language";
import { Failed, useAttempt } from "./form";

const OWN = ["csv", "xlsx"] as const;
const OTHERS = ["canvas-groups", "moodle-groups", "moodle-users", "brightspace-groups", "openedx-cohorts"] as const;
type Format = (typeof OWN)[number] | (typeof OTHERS)[number];

function isOwn(format: Format): format is (typeof OWN)[number] {
  return format === "csv" || format === "xlsx";
}

function fetchTable(partition: Partition, format: Format) {
  if (!isOwn(format))
    return ask(
      api.GET("/v1/partitions/{partition_id}/export", {
        params: { path: { partition_id: partition.id }, query: { as: format } },
        parseAs: "blob",
      }),
    );
  const course_id = board.value!.course.id;
  return ask(
    api.GET("/v1/export/{kind}", {
      params: {
        path: { kind: "assignments" },
        query: { course_id, xlsx: format === "xlsx", bom: format === "csv" },
      },
      parseAs: "blob",
    }),
  );
}

function save(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function fileName(partition: Partition, format: Format): string {
  const course = board.value!.course.key.replace(/[^\p{L}\p{N}.-]+/gu, "-");
  const end = format === "xlsx" ? "xlsx" : "csv";
  return isOwn(format) ? `${course}.${end}` : `${course}-${partition.name}-${format}.${end}`;
}

export function ExportDialog({ partition }: { partition: Partition }) {
  const { failed, busy, attempt } = useAttempt();
  const format = useSignal<Format>("csv");
  const leftOut = useSignal(0);
  const download = (event: SubmitEvent) => {
    event.preventDefault();
    const name = fileName(partition, format.value);
    void attempt(async () => {
      const { data, response } = await fetchTable(partition, format.value);
      leftOut.value = Number(response.headers.get("left-out") ?? 0);
      save(data as unknown as Blob, name);
    }, () => words.value.downloaded(name) + (leftOut.value > 0 ? ` ${words.value.leftOut(leftOut.value)}` : ""));
  };
  return (
    <Dialog title={words.value.exportTitle}>
      <form onSubmit={download}>
        <Failed text={failed.value} />
        <label>
          {words.value.exportAs}
          <select value={format.value} onChange={(event) => (format.value = event.currentTarget.value as Format)}>
            {[...OWN, ...OTHERS].map((each) => (
              <option key={each} value={each}>
                {words.value.exports[each]}
                {isOwn(each) ? "" : ` · ${partition.name}`}
              </option>
            ))}
          </select>
        </label>
        <div class="buttons">
          <span class="space" />
          <button type="submit" class="main" disabled={busy.value}>
            {words.value.download}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
