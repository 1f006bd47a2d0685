import { useEffect } from "preact/hooks";
import { place } from "../address";
import { follow } from "../board/live";
import { complaint, news } from "../board/news";
import { clear, query } from "../board/selection";
import { board, canWrite, failure, load, open, type Partition, partitionOf } from "../board/state";
import { explain } from "../words/explain";
import { words } from "../words/language";
import { Columns } from "./columns";
import { Header, Saving } from "./header";
import { Icon } from "./icon";
import { SelectionBar } from "./selection-bar";
import { Tabs } from "./tabs";
import { Toolbar } from "./toolbar";

export function BoardPage({ course }: { course: number }) {
  useEffect(() => {
    clear();
    query.value = "";
    news.value = complaint.value = null;
    void open(course);
    return follow(course);
  }, [course]);
  const found = board.value?.course.id === course ? board.value : null;
  useEffect(() => {
    if (found) document.title = `${found.course.title || found.course.key} · groupsvc`;
  }, [found?.course.title]);
  const partition = found && partitionOf(place.value.partition);
  return (
    <div class="page">
      <a class="skip" href="#groups" onClick={skip}>
        {words.value.skip}
      </a>
      <Header>
        {found && (
          <>
            <h1>{found.course.title || found.course.key}</h1>
            <span class="course-key">{found.course.key}</span>
            <Badges />
          </>
        )}
        <Saving />
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
      <Footer partition={partition} />
    </div>
  );
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
  const message = complaint.value ?? (failure.value && explain(failure.value));
  return (
    <div role="alert" class={message ? "banner" : undefined}>
      {message && (
        <>
          <p>{message}</p>
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
        {latest?.undo && (
          <button type="button" class="quiet" onClick={latest.undo}>
            <Icon name="undo" />
            {words.value.undo}
          </button>
        )}
      </div>
    </footer>
  );
}
