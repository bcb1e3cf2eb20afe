// Keeps an open page current. The server sends an event when something changed; the page then
// requests its own content again, and changes in place.

import { localize } from "./time.mjs";
import { morph } from "./morph.mjs";

const main = document.getElementById("main");
const banner = document.getElementById("banner");
const live = main.hasAttribute("data-live");
const longest = 30_000;
const silence = 20_000; // events arrive much more often, also if nothing changes but the ages

let source = null; // the event stream; null: the page is hidden, or the stream failed
let retry = null; // a timer
let silent = null; // a timer
let failures = 0;
let fresh = new Date(); // when the page was last current
let since = null; // as of when the page is, if it is not current
let busy = false;
let again = false;
let over = false; // signed out

localize(document);
if (main.hasAttribute("data-events") && (live || "hash" in main.dataset)) {
	document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
	addEventListener("pagehide", disconnect);
	addEventListener("pageshow", (event) => event.persisted && connect());
	if (!document.hidden) connect();
}

// connect opens the event stream. Its first event arrives at once. Hidden pages have none: browsers
// open only a few connections to a host.
function connect() {
	if (over || source) return;
	clearTimeout(retry);
	source = new EventSource("/ui/events");
	listen();
	source.addEventListener("change", (event) => {
		failures = 0;
		listen();
		live ? refresh() : compare(JSON.parse(event.data).hashes);
	});
	source.addEventListener("error", () => {
		if (source?.readyState === EventSource.CONNECTING && failures++ === 0) return; // a stream ends now and then
		disconnect();
		fail();
		if (live) refresh(); // it says whether this viewer is still signed in
	});
}

// listen waits for the next event. Nothing closes the connection to a machine that is gone.
function listen() {
	clearTimeout(silent);
	silent = setTimeout(() => { disconnect(); fail(); }, silence);
}

function disconnect() {
	clearTimeout(retry);
	clearTimeout(silent);
	source?.close();
	source = null;
}

// fail says that the page is out of date, and tries again later.
function fail(why = "The connection to this process is lost") {
	since ??= fresh;
	const at = since.toTimeString().slice(0, 8);
	tell(`${why}. This page is as of ${at}; it tries again.`);
	if (document.hidden || over) return;
	clearTimeout(retry);
	retry = setTimeout(() => { disconnect(); connect(); }, Math.min(longest, 1000 * 2 ** failures++) * (0.5 + Math.random() / 2));
}

// refresh requests the content of the page. There is one request at a time, and one more if
// something changed meanwhile.
async function refresh() {
	if (busy) {
		again = true;
		return;
	}
	busy = true;
	again = false;
	try {
		const response = await fetch(location.href, { headers: { "Catbridge-Fragment": "main" }, cache: "no-store", signal: AbortSignal.timeout(10_000) });
		if (response.status === 401) {
			over = true;
			disconnect();
			tell("You are signed out.", "/ui/signin?to=" + encodeURIComponent(location.pathname + location.search), "Sign in");
			return;
		}
		if (!response.ok) throw new Error(`The page answers ${response.status}`);
		show(new DOMParser().parseFromString(await response.text(), "text/html"));
		fresh = new Date();
		since = null;
		if (source) tell("");
	} catch (error) {
		fail(error.name === "Error" ? error.message : undefined);
	} finally {
		busy = false;
		if (again) refresh();
	}
}

// show replaces what changed, and marks it for a moment.
function show(page) {
	localize(page);
	const marks = new Set();
	const focus = document.activeElement;
	morph(main, page.body, (element) => {
		if (element.closest("time, svg, [data-quiet], form")) return; // they change all the time, or by the reader
		const mark = element.closest("tr, li, dd, .card, [data-key]");
		if (mark && main.contains(mark)) marks.add(mark);
	});
	if (focus !== document.activeElement && main.contains(focus)) focus.focus({ preventScroll: true }); // it was moved
	for (const mark of marks) {
		mark.classList.remove("changed");
		void mark.offsetWidth; // so that the animation starts again
		mark.classList.add("changed");
		setTimeout(() => mark.classList.remove("changed"), 2000);
	}
}

// compare says on a page that does not change that its config has been replaced. The page has an empty
// hash if there was no config.
function compare(hashes) {
	const now = hashes[main.dataset.sdk];
	if (now !== undefined && now !== main.dataset.hash) tell("Another config is in force since this page was made.");
	else tell("");
}

// tell shows a text above the page, with a link or without; "" hides it. The same text is not read
// out again.
function tell(text, href, label) {
	if (banner.dataset.text === text) return;
	banner.dataset.text = text;
	banner.textContent = text;
	banner.hidden = text === "";
	if (href) {
		const link = document.createElement("a");
		link.href = href;
		link.textContent = label;
		banner.append(" ", link);
	}
}
