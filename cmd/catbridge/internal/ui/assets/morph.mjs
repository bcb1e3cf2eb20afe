// Makes the children of an element like those of another, and changes only what differs: focus,
// selection, scroll positions, what the reader typed, and what the reader opened stay.

// morph changes the children of into to those of from. It calls changed with the innermost elements
// whose text or attributes changed, or that are new.
export function morph(into, from, changed = () => {}) {
	const wanted = [...from.childNodes];
	const keys = new Set(wanted.map(keyOf).filter((key) => key !== null));
	const keyed = new Map();
	for (const node of into.childNodes) if (keyOf(node) !== null) keyed.set(keyOf(node), node);
	let at = into.firstChild;
	for (const node of wanted) {
		const key = keyOf(node);
		while (at && keyOf(at) !== null && !keys.has(keyOf(at))) at = drop(at); // it is gone
		let match = null;
		if (key !== null) {
			match = keyed.get(key) ?? null;
			if (match && match.nodeName !== node.nodeName) match = null;
		} else {
			for (match = at; match && !alike(match, node); ) match = keys.has(keyOf(match)) ? null : match.nextSibling;
		}
		if (!match) {
			const fresh = document.importNode(node, true);
			into.insertBefore(fresh, at);
			changed(fresh.nodeType === Node.ELEMENT_NODE ? fresh : into);
			continue;
		}
		if (key !== null && match !== at) move(into, match, at);
		else {
			while (at !== match) at = drop(at);
			at = at.nextSibling;
		}
		update(match, node, changed);
	}
	while (at) at = drop(at);
}

// keyOf returns what identifies a node among its siblings; null: only its place does.
function keyOf(node) {
	return node.nodeType === Node.ELEMENT_NODE ? node.id || node.dataset?.key || null : null;
}

function alike(a, b) {
	return a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === null;
}

function drop(node) {
	const next = node.nextSibling;
	node.remove();
	return next;
}

// move moves a node among its siblings. In browsers without moveBefore it loses its scroll positions.
function move(into, node, before) {
	into.moveBefore ? into.moveBefore(node, before) : into.insertBefore(node, before);
}

function update(into, from, changed) {
	if (into.nodeType !== Node.ELEMENT_NODE) {
		if (into.data !== from.data) {
			into.data = from.data;
			if (into.parentElement) changed(into.parentElement);
		}
		return;
	}
	if (attributes(into, from)) changed(into);
	if (into.nodeName === "TEXTAREA" && isDirty(into)) return;
	morph(into, from, changed);
}

// attributes copies the attributes, apart from those that show what the reader did.
function attributes(into, from) {
	const own = into.nodeName === "DETAILS" ? ["open"] : [];
	if (into.matches("input, select, option, textarea") && isDirty(into)) own.push("value", "checked", "selected");
	let differs = false;
	for (const { name } of [...into.attributes]) {
		if (!from.hasAttribute(name) && !own.includes(name) && !(name === "class" && into.className === "changed")) {
			into.removeAttribute(name);
			differs = true;
		}
	}
	for (const { name, value } of from.attributes) {
		if (into.getAttribute(name) === value || own.includes(name)) continue;
		if (name === "class" && [...into.classList].filter((c) => c !== "changed").join(" ") === value) continue;
		into.setAttribute(name, value);
		differs = true;
	}
	return differs;
}

// isDirty reports whether the reader uses a field or has changed it.
function isDirty(field) {
	if (field === document.activeElement) return true;
	switch (field.nodeName) {
		case "OPTION": return field.closest("select") !== null && isDirty(field.closest("select"));
		case "SELECT": return [...field.options].some((option) => option.selected !== option.defaultSelected);
		case "INPUT": if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
	}
	return field.value !== field.defaultValue;
}
