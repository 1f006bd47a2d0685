/** Dragging with the browser's own drag and drop: three listeners for the whole board. */

import { move } from "./moves";
import { moveGroup } from "./order";
import { nameOf, only, selected } from "./selection";
import { canWrite, groupOf, people, placesIn, partitionOf, type Target } from "./state";
import { words } from "../words/language";

type Load = { kind: "people"; ids: number[] } | { kind: "group"; id: number };

let load: Load | null = null;
let over: HTMLElement | null = null;

function column(event: Event): HTMLElement | null {
  return (event.target as Element).closest<HTMLElement>("[data-column]");
}

export function targetIn(element: HTMLElement): Target {
  return element.dataset["column"] === "none" ? null : Number(element.dataset["column"]);
}

function mark(next: HTMLElement | null, how = ""): void {
  if (over !== next) over?.removeAttribute("data-over");
  over = next;
  if (next && next.dataset["over"] !== how) next.dataset["over"] = how;
}

export function start(event: DragEvent): void {
  const element = event.target as HTMLElement;
  if (!canWrite.value || !event.dataTransfer || !(element instanceof HTMLElement)) return;
  const person = Number(element.dataset["person"]);
  const handle = element.dataset["handle"];
  if (person) {
    if (!selected.value.has(person)) only(person);
    load = { kind: "people", ids: [...selected.value] };
    const one = load.ids.length === 1;
    picture(event, one ? nameOf(people.value.get(person)) : words.value.people(load.ids.length));
  } else if (handle) {
    load = { kind: "group", id: Number(handle) };
    picture(event, groupOf(load.id)?.name ?? "");
  } else return;
  event.dataTransfer.effectAllowed = "move";
  // Names alone: what is dropped into another program is for people.
  event.dataTransfer.setData("text/plain", describe(load));
}

function describe(what: Load): string {
  if (what.kind === "group") return groupOf(what.id)?.name ?? "";
  return what.ids.map((id) => nameOf(people.value.get(id))).join("\n");
}

function picture(event: DragEvent, text: string): void {
  const badge = document.createElement("div");
  badge.className = "drag-badge";
  badge.textContent = text;
  document.body.append(badge);
  event.dataTransfer?.setDragImage(badge, -12, -8);
  requestAnimationFrame(() => badge.remove());
}

export function hover(event: DragEvent): void {
  if (load === null) return;
  const element = column(event);
  if (element === null || (load.kind === "group" && targetIn(element) === null)) return mark(null);
  event.preventDefault();
  mark(element, load.kind === "people" && overfull(element, load.ids) ? "full" : "yes");
}

/** Only to warn: the service decides. */
function overfull(element: HTMLElement, ids: number[]): boolean {
  const target = targetIn(element);
  const group = target === null ? null : groupOf(target);
  if (!group || group.capacity === null) return false;
  const places = placesIn(partitionOf(group.partition_id)!);
  const coming = ids.filter((id) => places.get(id) !== group.id).length;
  return coming > 0 && group.member_count + coming > group.capacity;
}

export function leave(event: DragEvent): void {
  if (event.relatedTarget === null) mark(null);
}

export function drop(event: DragEvent, partition: number): void {
  const element = column(event);
  const what = load;
  end();
  if (what === null || element === null) return;
  event.preventDefault();
  const target = targetIn(element);
  if (what.kind === "people") void move(partition, what.ids, target);
  else if (target !== null) void moveGroup(partition, what.id, target);
}

export function end(): void {
  mark(null);
  load = null;
}
