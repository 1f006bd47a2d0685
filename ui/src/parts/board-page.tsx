import { useEffect } from "preact/hooks";
import { place } from "../address";
import { connection, follow } from "../board/live";
import { complaint, dismiss, heard, holdShown, keepShown, news, seen, silence } from "../board/news";
import { clear, query } from "../board/selection";
import { board, canWrite, failure, load, open, type Partition, partitionOf } from "../board/state";
import { forgetSteps, takeLast } from "../board/undo";
import { ActivityDialog } from "../dialogs/activity";
import { Lines } from "../dialogs/form";
import { explain } from "../words/explain";
import { actorName, words } from "../words/language";
import { Columns } from "./columns";
import { show } from "./dialog";
import { Header, Saving } from "./header";
import { Icon } from "./icon";
import { SelectionBar } from "./selection-bar";
import { Tabs } from "./tabs";
import { Toolbar } from "./toolbar";

export function BoardPage({ course }: { course: number }) {
  useEffect(() => {
    clear();
    query.value = "";
    silence();
    forgetSteps();
    void open(course);
    addEventListener("keydown", undoByKey);
    const leave = follow(course);
    return () => {
      removeEventListener("keydown", undoByKey);
      leave();
    };
  }, [course]);
  const found = board.value?.course.id === course ? board.value : null;
  useEffect(() => {
    if (found) document.title = `${found.course.title || found.course.key} · groupsvc`;
  }, [found?.course.title]);
  const partition = found && partitionOf(place.value.partition);
  return (
    <div class="page" data-live={connection.value}>
      <a class="skip" href="#groups" onClick={skip}>
        {words.value.skip}
      </a>
      <Header>
        {found && (
          <>
            <h1>{found.course.title || found.course.key}</h1>
            <span class="course-key">{found.course.key}</span>
            <Badges />
            <Connection />
          </>
        )}
        <Saving />
        {found && (
          <button type="button" class="quiet history-button" onClick={() => show(<ActivityDialog />)}>
            <Icon name="history" />
            {words.value.activity}
          </button>
        )}
      </Header>
      <main tabIndex={-1}>
        {found && <Tabs current={partition} />}
        {partition && <Toolbar partition={partition} />}
        <Complaint course={course} />
        <div id="groups">
          {!found && !failure.value && <p class="loading">{words.value.loading}</p>}
          {found && !partition && <Undivided />}
          {partition && <Columns key={partition.id} partition={partition} />}
        </div>
      </main>
      <HeardFromOthers />
      <Footer partition={partition} />
    </div>
  );
}

/** Of what goes well nothing is said. */
function Connection() {
  if (connection.value !== "lost") return null;
  return (
    <span class="tag waiting" role="status" title={words.value.notLiveHint}>
      {words.value.notLive}
    </span>
  );
}

/** What others have done: for a while as a notice; for screen readers the last of it stays. */
function HeardFromOthers() {
  const isShown = heard.value.some((each) => each.id > seen.value);
  return (
    <div class={isShown ? "heard" : "heard unseen"} onMouseEnter={holdShown} onMouseLeave={keepShown}>
      <div role="log" aria-label={words.value.byOthers}>
        {heard.value.map((each) => (
          <p key={each.id} class={isShown && each.id <= seen.value ? "unseen" : undefined}>
            <strong>{actorName(each.actor)}</strong> {each.text}
          </p>
        ))}
      </div>
      {isShown && (
        <button type="button" class="quiet square" aria-label={words.value.close} onClick={dismiss}>
          <Icon name="close" />
        </button>
      )}
    </div>
  );
}

const SHORTCUTS = { undo: "Control+Z", redo: "Control+Shift+Z Control+Y" };

/** Ctrl+Z, as everywhere; texts have one of their own. */
function undoByKey(event: KeyboardEvent): void {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
  if ((event.target as Element).closest?.("input, select, dialog")) return;
  const key = event.key.toLowerCase();
  const label = key === "y" || (key === "z" && event.shiftKey) ? "redo" : key === "z" ? "undo" : null;
  if (label !== null && takeLast(label)) event.preventDefault();
}

function skip(event: MouseEvent): void {
  // The address behind `#` says which course is shown.
  event.preventDefault();
  (document.querySelector<HTMLElement>("[role=listbox]") ?? document.querySelector("main"))?.focus();
}

function Badges() {
  if (canWrite.value) return null;
  const locked = board.value!.course.is_locked;
  const [text, hint] = locked
    ? [words.value.locked, words.value.lockedHint]
    : [words.value.readOnly, words.value.readOnlyHint];
  return (
    <span class={locked ? "tag locked" : "tag"} title={hint}>
      <Icon name={locked ? "lock" : "eye"} />
      {text}
    </span>
  );
}

function Complaint({ course }: { course: number }) {
  const message = complaint.value?.text ?? (failure.value && explain(failure.value));
  return (
    <div role="alert" class={message ? "banner" : undefined}>
      {message && (
        <>
          <div>
            <p>{message}</p>
            <Lines of={complaint.value?.lines ?? []} />
          </div>
          {failure.value && (
            <button type="button" onClick={() => void load(course)}>
              {words.value.tryAgain}
            </button>
          )}
          <button
            type="button"
            class="quiet square"
            aria-label={words.value.close}
            onClick={() => (complaint.value = failure.value = null)}
          >
            <Icon name="close" />
          </button>
        </>
      )}
    </div>
  );
}

function Undivided() {
  return (
    <div class="empty">
      <p class="empty-title">{words.value.noPartitions}</p>
      <p>{words.value.noPartitionsHint}</p>
    </div>
  );
}

function Footer({ partition }: { partition: Partition | null }) {
  const latest = news.value;
  return (
    <footer>
      {partition && <SelectionBar partition={partition} />}
      <div class="news">
        <p role="status">{latest?.text}</p>
        {latest?.action && (
          <button type="button" class="quiet" onClick={latest.action.act} aria-keyshortcuts={SHORTCUTS[latest.action.label]}>
            <Icon name={latest.action.label} />
            {words.value[latest.action.label]}
          </button>
        )}
      </div>
    </footer>
  );
}
