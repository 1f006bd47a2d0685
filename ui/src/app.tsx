import { useEffect } from "preact/hooks";
import { place } from "./address";
import { BoardPage } from "./parts/board-page";
import { Courses } from "./parts/courses";
import { SignIn } from "./parts/sign-in";
import { Shown } from "./parts/dialog";
import { me } from "./session";
import { words } from "./words/language";

export function App() {
  const course = place.value.course;
  const isKnown = me.value !== null;
  useEffect(() => {
    if (!isKnown) document.title = `${words.value.signIn} · groupsvc`;
    else if (course === null) document.title = `${words.value.courses} · groupsvc`;
  });
  if (!isKnown) return <SignIn />;
  return (
    <>
      {course === null ? <Courses /> : <BoardPage key={course} course={course} />}
      <Shown />
    </>
  );
}
