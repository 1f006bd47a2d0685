import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { addressOf } from "../address";
import { api, everything, Refusal } from "../api/client";
import { folded } from "../board/selection";
import type { Course } from "../session";
import { explain } from "../words/explain";
import { words } from "../words/language";
import { Header } from "./header";
import { Icon } from "./icon";

export function Courses() {
  const courses = useSignal<Course[] | null>(null);
  const failed = useSignal<string | null>(null);
  const query = useSignal("");

  const load = async () => {
    failed.value = null;
    try {
      courses.value = await everything((cursor) =>
        api.GET("/v1/courses", { params: { query: { limit: 200, ...(cursor ? { cursor } : {}) } } }),
      );
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      failed.value = explain(error);
    }
  };
  useEffect(() => void load(), []);

  const wanted = folded(query.value).split(/\s+/).filter(Boolean);
  const found = (courses.value ?? []).filter((course) => {
    const text = folded(`${course.title} ${course.key} ${course.department}`);
    return wanted.every((word) => text.includes(word));
  });
  return (
    <>
      <Header />
      <main class="courses" tabIndex={-1}>
        <h1>{words.value.courses}</h1>
        <div class="search">
          <Icon name="search" />
          <input
            type="search"
            aria-label={words.value.findCourse}
            placeholder={words.value.findCourse}
            value={query.value}
            onInput={(event) => (query.value = event.currentTarget.value)}
          />
        </div>
        {failed.value && (
          <p role="alert" class="complaint">
            {failed.value}{" "}
            <button type="button" onClick={() => void load()}>
              {words.value.tryAgain}
            </button>
          </p>
        )}
        <p role="status" class="hint">
          {courses.value === null ? (failed.value ? "" : words.value.loading) : summary(courses.value, found)}
        </p>
        <ul class="course-list">
          {found.map((course) => (
            <li key={course.id}>
              <a href={addressOf(course.id)}>
                <span class="course-title">{course.title || course.key}</span>
                <span class="course-key">{course.key}</span>
                <span class="tag">{course.department}</span>
                {course.is_locked && (
                  <span class="tag locked">
                    <Icon name="lock" />
                    {words.value.locked}
                  </span>
                )}
              </a>
            </li>
          ))}
        </ul>
      </main>
    </>
  );
}

function summary(all: Course[], found: Course[]): string {
  if (all.length === 0) return words.value.noCourses;
  return found.length === 0 ? words.value.noCourseFound : words.value.coursesFound(found.length);
}
