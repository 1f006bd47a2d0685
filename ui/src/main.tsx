import { render } from "preact";
import { place } from "./address";
import { token } from "./api/token";
import { App } from "./app";
import { open } from "./board/state";
import { resume } from "./session";
import "./styles/index.css";

// While the service tells who is there.
if (token.value !== null && place.value.course !== null) void open(place.value.course);
await resume();
render(<App />, document.getElementById("app")!);
