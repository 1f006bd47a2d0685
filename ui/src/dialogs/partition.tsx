import { useSignal } from "@preact/signals";
import { go } from "../address";
import { api, get } from "../api/client";
import { shiftPartition, sortGroups } from "../board/order";
import { board, type Partition, partitionOf } from "../board/state";
import { Dialog } from "../parts/dialog";
import { words } from "../words/language";
import { DeleteButton, Failed, Mover, useAttempt } from "./form";

/** Of one that is there, or of a new one. */
export function PartitionDialog({ partition }: { partition: Partition | null }) {
  return (
    <Dialog title={partition ? words.value.editPartition(partition.name) : words.value.newPartition}>
      {partition ? <Edit partition={partitionOf(partition.id) ?? partition} /> : <Create />}
    </Dialog>
  );
}

function nameIn(event: SubmitEvent): string {
  event.preventDefault();
  return String(new FormData(event.currentTarget as HTMLFormElement).get("name") ?? "");
}

function NameField({ name }: { name: string }) {
  return (
    <label>
      {words.value.partitionName}
      <input name="name" defaultValue={name} required autofocus />
    </label>
  );
}

function Create() {
  const { failed, busy, attempt } = useAttempt();
  const course_id = board.value!.course.id;
  const create = (event: SubmitEvent) => {
    const name = nameIn(event);
    void attempt(async () => {
      const body = { name, groups_editable: true, show_in_lists: true, show_rank_on_report: false };
      const made = await get(
        api.POST("/v1/courses/{course_id}/partitions", { params: { path: { course_id } }, body }),
      );
      go(course_id, made.id);
    }, words.value.created(name));
  };
  return (
    <form onSubmit={create}>
      <Failed text={failed.value} />
      <NameField name="" />
      <p class="hint">{words.value.noPartitionsHint}</p>
      <div class="buttons">
        <span class="space" />
        <button type="submit" class="main" disabled={busy.value}>
          {words.value.create}
        </button>
      </div>
    </form>
  );
}

function Edit({ partition }: { partition: Partition }) {
  const { failed, busy, attempt } = useAttempt();
  const isEditable = useSignal(partition.groups_editable);
  const partitions = board.value!.partitions;
  const path = { partition_id: partition.id };
  const save = (event: SubmitEvent) => {
    const name = nameIn(event);
    const body = { name, ...(partition.kind === "tracks" ? {} : { groups_editable: isEditable.value }) };
    void attempt(
      () => get(api.PATCH("/v1/partitions/{partition_id}", { params: { path }, body })),
      words.value.changed(name),
    );
  };
  const remove = () =>
    attempt(async () => {
      await get(api.DELETE("/v1/partitions/{partition_id}", { params: { path } }));
      go(board.value!.course.id, null, true);
    }, words.value.deleted(partition.name));
  return (
    <form onSubmit={save}>
      <Failed text={failed.value} />
      <NameField name={partition.name} />
      {partition.kind !== "tracks" && (
        <label class="check">
          <input
            type="checkbox"
            checked={isEditable.value}
            onChange={(event) => (isEditable.value = event.currentTarget.checked)}
          />
          {words.value.groupsEditable}
        </label>
      )}
      <Mover
        label={words.value.movePartition}
        place={partitions.findIndex((each) => each.id === partition.id)}
        count={partitions.length}
        shift={(by) => shiftPartition(partition.id, by)}
      >
        {partition.groups.length > 1 && (
          <button type="button" onClick={() => void sortGroups(partition.id)}>
            {words.value.sortGroups}
          </button>
        )}
      </Mover>
      <div class="buttons">
        <DeleteButton
          question={words.value.deletePartition(partition.name, partition.groups.length)}
          onConfirm={() => void remove()}
        />
        <span class="space" />
        <button type="submit" class="main" disabled={busy.value}>
          {words.value.save}
        </button>
      </div>
    </form>
  );
}
