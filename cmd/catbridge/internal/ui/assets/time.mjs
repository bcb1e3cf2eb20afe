// Shows times in the reader's zone beside UTC.

const parts = new Intl.DateTimeFormat("en-GB", {
	year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZoneName: "short",
});

// localText returns a time in the reader's zone, without the date if it is that of UTC; null: the zone is UTC.
export function localText(at) {
	if (at.getTimezoneOffset() === 0) return null;
	const p = Object.fromEntries(parts.formatToParts(at).map(({ type, value }) => [type, value]));
	const date = `${p.year}-${p.month}-${p.day}`;
	const time = `${p.hour}:${p.minute}:${p.second} ${p.timeZoneName}`;
	return date === at.toISOString().slice(0, 10) ? time : `${date} ${time}`;
}

// localize adds the reader's time to every time below a node.
export function localize(node) {
	for (const element of node.querySelectorAll("time[datetime]")) {
		const at = new Date(element.dateTime);
		const text = isNaN(at) || element.querySelector(".local") || element.dataset.local ? null : localText(at);
		if (text === null) continue;
		if (element.title) { // it shows how long ago that was
			element.title += ` (${text})`;
			element.dataset.local = "";
			continue;
		}
		const local = document.createElement("span");
		local.className = "local";
		local.textContent = ` (${text})`;
		element.append(local);
	}
}
