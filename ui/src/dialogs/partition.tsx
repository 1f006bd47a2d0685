import { type Signal, useSignal } from "@preact/signals";
import { go } from "../address";
import { api, ask, requestOf } from "../api/client";
import { shiftPartition, sortGroups } from "../board/order";
import { board, type Partition, partitionOf } from "../board/state";
import { request } from "../board/undo";
import { Dialog } from "../parts/dialog";
import { words } from "../words/language";
import { DeleteButton, Failed, Footer, Mover, Theirs, useAttempt, useTag } from "./form";

/** Of one that is there, or of a new one. */
export function PartitionDialog({ partition }: { partition: Partition | null }) {
  return (
    <Dialog title={partition ? words.value.editPartition(partition.name) : words.value.newPartition}>
      {partition ? <Edit partition={partitionOf(partition.id) ?? partition} /> : <Create />}
    </Dialog>
  );
}

function NameField({ name }: { name: Signal<string> }) {
  return (
    <label>
      {words.value.partitionName}
      <input value={name.value} required autofocus onInput={(event) => (name.value = event.currentTarget.value)} />
    </label>
  );
}

function Create() {
  const { failed, busy, attempt } = useAttempt();
  const name = useSignal("");
  const course_id = board.value!.course.id;
  const create = (event: SubmitEvent) => {
    event.preventDefault();
    void attempt(async () => {
      const body = { name: name.value, groups_editable: true, show_in_lists: true, show_rank_on_report: false };
      const path = { course_id };
      const { data, response } = await ask(api.POST("/v1/courses/{course_id}/partitions", { params: { path }, body }));
      go(course_id, data.id);
      return requestOf(response);
    }, words.value.created(name.value));
  };
  return (
    <form onSubmit={create}>
      <Failed of={failed.value} />
      <NameField name={name} />
      <p class="hint">{words.value.noPartitionsHint}</p>
      <Footer doing={{ failed, busy }} label={words.value.create} />
    </form>
  );
}

function Edit({ partition }: { partition: Partition }) {
  const { failed, busy, attempt } = useAttempt();
  const name = useSignal(partition.name);
  const isEditable = useSignal(partition.groups_editable);
  const partitions = board.value!.partitions;
  const path = { partition_id: partition.id };
  const tag = useTag(() => ask(api.GET("/v1/partitions/{partition_id}", { params: { path } })));
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    const body = {
      name: name.value,
      ...(partition.kind === "tracks" ? {} : { groups_editable: isEditable.value }),
    };
    await attempt(async () => {
      const header = await tag.header();
      return request(api.PATCH("/v1/partitions/{partition_id}", { params: { path, header }, body }));
    }, words.value.changed(name.value));
    if (failed.value?.refusal.status === 412) tag.accept(failed.value.refusal);
  };
  const take = () => {
    const now = failed.value!.refusal.problem.current as unknown as Partition;
    [name.value, isEditable.value] = [now.name, now.groups_editable];
    failed.value = null;
  };
  const remove = () =>
    attempt(async () => {
      const done = await request(api.DELETE("/v1/partitions/{partition_id}", { params: { path } }));
      go(board.value!.course.id, null, true);
      return done;
    }, words.value.deleted(partition.name));
  return (
    <form onSubmit={(event) => void save(event)}>
      <Failed of={failed.value} />
      <Theirs failure={failed.value} show={(now) => String(now["name"])} take={take} />
      <NameField name={name} />
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
      <Footer doing={{ failed, busy }} label={words.value.save}>
        <DeleteButton
          question={words.value.deletePartition(partition.name, partition.groups.length)}
          onConfirm={() => void remove()}
        />
      </Footer>
    </form>
  );
}
