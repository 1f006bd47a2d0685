import { useEffect, useRef } from "preact/hooks";
import { api, ask, get } from "../api/client";
import { shiftGroup } from "../board/order";
import { canWrite, type Group, groupOf, partitionOf } from "../board/state";
import { Dialog } from "../parts/dialog";
import { words } from "../words/language";
import { DeleteButton, Failed, Mover, numberIn, useAttempt } from "./form";
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
  const tag = useTag(group.id);

  const save = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const name = String(form.get("name") ?? group.name ?? "");
    const body = { ...(isEditable ? { name } : {}), capacity: numberIn(form, "capacity") };
    void attempt(
      async () => get(api.PATCH("/v1/groups/{group_id}", { params: { path, header: await tag() }, body })),
      words.value.changed(name),
      { group_full: words.value.codes["capacity_below_members"]! },
    );
  };
  const remove = () =>
    attempt(
      () => get(api.DELETE("/v1/groups/{group_id}", { params: { path } })),
      words.value.deleted(group.name ?? ""),
    );
  return (
    <form onSubmit={save}>
      <Failed text={failed.value} />
      <div class="fields">
        <label>
          {words.value.groupName}
          <input name="name" defaultValue={group.name ?? ""} required disabled={!isEditable} autofocus={isEditable} />
        </label>
        <label>
          {words.value.capacity}
          <input name="capacity" type="number" min={0} max={1000000} defaultValue={group.capacity ?? ""} aria-describedby="capacity-hint" />
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
      <div class="buttons">
        {isEditable && (
          <DeleteButton
            question={words.value.deleteGroup(group.name ?? "", group.member_count)}
            onConfirm={() => void remove()}
          />
        )}
        <span class="space" />
        <button type="submit" class="main" disabled={busy.value}>
          {words.value.save}
        </button>
      </div>
    </form>
  );
}

/** The entity tag of the group when the dialog was opened: what somebody changes meanwhile is not
 * written over. Of what is not answered there is none, and the write says why. */
function useTag(group: number): () => Promise<Record<string, string>> {
  const tag = useRef<Promise<string | null>>(Promise.resolve(null));
  useEffect(() => {
    tag.current = ask(api.GET("/v1/groups/{group_id}", { params: { path: { group_id: group } } })).then(
      ({ response }) => response.headers.get("etag"),
      () => null,
    );
  }, [group]);
  return async () => {
    const found = await tag.current;
    return found === null ? {} : { "If-Match": found };
  };
}
