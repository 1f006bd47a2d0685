import { useSignal } from "@preact/signals";
import { api, ask } from "../api/client";
import { shiftGroup } from "../board/order";
import { canWrite, type Group, groupOf, partitionOf } from "../board/state";
import { request } from "../board/undo";
import { Dialog } from "../parts/dialog";
import { words } from "../words/language";
import { DeleteButton, Failed, Footer, Mover, numberIn, Theirs, useAttempt, useTag } from "./form";
import { GroupHistory } from "./history";

export function GroupDialog({ group }: { group: Group }) {
  const title = canWrite.value ? words.value.editGroup(group.name ?? "") : words.value.historyOf(group.name ?? "");
  return (
    <Dialog title={title} wide>
      {canWrite.value && <Edit group={groupOf(group.id) ?? group} />}
      <GroupHistory group={group} />
    </Dialog>
  );
}

function Edit({ group }: { group: Group }) {
  const { failed, busy, attempt } = useAttempt();
  const partition = partitionOf(group.partition_id)!;
  const isEditable = partition.groups_editable;
  const path = { group_id: group.id };
  const name = useSignal(group.name ?? "");
  const capacity = useSignal(group.capacity === null ? "" : String(group.capacity));
  const tag = useTag(() => ask(api.GET("/v1/groups/{group_id}", { params: { path } })));

  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    const body = { ...(isEditable ? { name: name.value } : {}), capacity: numberIn(capacity.value) };
    await attempt(
      async () => request(api.PATCH("/v1/groups/{group_id}", { params: { path, header: await tag.header() }, body })),
      words.value.changed(name.value),
      { group_full: words.value.codes["capacity_below_members"]! },
    );
    if (failed.value?.refusal.status === 412) tag.accept(failed.value.refusal);
  };
  const take = () => {
    const now = failed.value!.refusal.problem.current as unknown as Group;
    [name.value, capacity.value] = [now.name ?? "", now.capacity === null ? "" : String(now.capacity)];
    failed.value = null;
  };
  const remove = () =>
    attempt(
      () => request(api.DELETE("/v1/groups/{group_id}", { params: { path } })),
      words.value.deleted(group.name ?? ""),
    );
  return (
    <form onSubmit={(event) => void save(event)}>
      <Failed of={failed.value} />
      <Theirs
        failure={failed.value}
        show={(now) => words.value.nameAndCapacity(String(now["name"]), now["capacity"] as number | null)}
        take={take}
      />
      <div class="fields">
        <label>
          {words.value.groupName}
          <input
            value={name.value}
            required
            disabled={!isEditable}
            autofocus={isEditable}
            onInput={(event) => (name.value = event.currentTarget.value)}
          />
        </label>
        <label>
          {words.value.capacity}
          <input
            type="number"
            min={0}
            max={1000000}
            value={capacity.value}
            aria-describedby="capacity-hint"
            onInput={(event) => (capacity.value = event.currentTarget.value)}
          />
        </label>
      </div>
      <p class="hint" id="capacity-hint">
        {words.value.capacityHint}
        {!isEditable && ` ${words.value.fixedGroups}`}
      </p>
      <Mover
        label={words.value.moveGroup}
        place={partition.groups.findIndex((each) => each.id === group.id)}
        count={partition.groups.length}
        shift={(by) => shiftGroup(partition.id, group.id, by)}
      />
      <Footer doing={{ failed, busy }} label={words.value.save}>
        {isEditable && (
          <DeleteButton
            question={words.value.deleteGroup(group.name ?? "", group.member_count)}
            onConfirm={() => void remove()}
          />
        )}
      </Footer>
    </form>
  );
}
