import { render } from "preact";
import { place } from "./address";
import { token } from "./api/token";
import { App } from "./app";
import { open } from "./board/state";
import { isByProvider, resume } from "./session";
import "./styles/index.css";

// While the service tells who is there; a token that may have to be renewed comes first.
if (token.value !== null && !isByProvider() && place.value.course !== null) void open(place.value.course);
await resume();
render(<App />, document.getElementById("app")!);
