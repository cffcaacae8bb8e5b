// Live updates, keys, sound, drafts and the eight seconds. Everything else is plain forms rendered on the server.
"use strict";

const $ = (query, within = document) => within.querySelector(query);
const $$ = (query, within = document) => [...within.querySelectorAll(query)];

// --- Live: the server says that something changed; each part of the page asks again for itself. -----------------

let state = "";
function changed() { document.body.dispatchEvent(new CustomEvent("changed")); }

function listen(address) {
  const status = $("#connection");
  const source = new EventSource(address);
  source.addEventListener("open", () => { status.hidden = true; });
  source.addEventListener("error", () => {
    status.hidden = false;
    status.textContent = "连接中断，正在重连。已写的内容不会丢失。";
    if (source.readyState === EventSource.CLOSED) setTimeout(() => listen(address), 3000);
  });
  source.addEventListener("changed", (event) => {
    if (state !== event.data) { state = event.data; changed(); }
  });
}
setInterval(() => { if (document.visibilityState === "visible" && $("#people, #alarms")) changed(); }, 30000); // clocks

// --- Alarm sound: until somebody acts. ----------------------------------------------------------------------------

let audio = null;
function ready() { if (!audio) audio = new AudioContext(); return audio.state === "running" ? true : (audio.resume(), false); }
function beep(level) {
  if (!audio || audio.state !== "running") return;
  const tones = level === "E" ? [880, 660, 880] : [660, 520];
  tones.forEach((tone, place) => {
    const oscillator = audio.createOscillator(), volume = audio.createGain(), at = audio.currentTime + place * 0.22;
    oscillator.frequency.value = tone;
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(0.35, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.2);
    oscillator.connect(volume).connect(audio.destination);
    oscillator.start(at);
    oscillator.stop(at + 0.21);
  });
}
let rung = "";
function ring() {
  const bar = $("[data-ring]");
  document.body.classList.toggle("alarmed", Boolean(bar));
  if (!bar) { rung = ""; return; }
  const button = $("[data-sound]", bar);
  if (button) button.hidden = Boolean(audio && audio.state === "running");
  if (rung !== bar.dataset.ringing) { rung = bar.dataset.ringing; beep(bar.dataset.ring); }
}
setInterval(() => { const bar = $("[data-ring]"); if (bar && bar.dataset.ring !== "S") beep(bar.dataset.ring); }, 6000);
for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, () => { if ($("[data-ring]") || audio) { ready(); setTimeout(ring, 200); } });

// --- Toasts: what was done, and for a while how to undo it. -------------------------------------------------------

let lastUndo = null;
function toast(seed) {
  const { words, undo, held } = seed.dataset;
  seed.remove();
  if (seed.hasAttribute("data-closes")) { $("#bulk")?.close(); picked.clear(); mark(); }
  if (!words && !undo) return;
  const box = document.createElement("div");
  box.className = "toast";
  const text = document.createElement("span");
  box.append(text);
  let left = Number(held) || 5;
  let act = null;
  const show = () => { text.textContent = (words || "将要发送") + (undo && held > 0 ? `（${left}秒）` : ""); };
  show();
  if (undo) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = undo.includes("/undo/") ? "撤销" : "撤回";
    act = () => {
      clearInterval(timer);
      box.remove();
      lastUndo = null;
      const open = $(".conversation")?.dataset.contact || "";
      htmx.ajax("POST", undo, { target: open ? "#thread" : "#bulk", swap: "innerHTML", values: open ? { contact: open } : {} }).then(changed);
    };
    button.addEventListener("click", act);
    lastUndo = act;
    box.append(button);
  }
  if (undo) for (const old of $$("#toasts .toast:has(button)")) old.remove(); // only the last deed is offered
  $("#toasts").append(box);
  const timer = setInterval(() => {
    left -= 1;
    show();
    if (left <= 0) { clearInterval(timer); box.remove(); if (lastUndo === act) lastUndo = null; }
  }, 1000);
}

// --- The composer -------------------------------------------------------------------------------------------------

function privately() {
  const form = $("#reply");
  if (!form) return;
  const mode = form.elements.mode.value;
  form.classList.toggle("private", mode !== "reply");
  $("#text").placeholder = mode === "reply" ? "回复患者。Enter 发送，Shift+Enter 换行，行首 / 常用语" : mode === "note" ? "给同事的备注，患者看不到。@ 提到谁" : "电话里说了什么，患者看不到";
  count();
}
function count() {
  const text = $("#text"), place = $("#count");
  if (text && place) { const bytes = new TextEncoder().encode(text.value).length; place.textContent = bytes > 600 ? `${bytes}/2048 字节${bytes > 2048 ? "，将分条发送" : ""}` : ""; }
}
let saving = null;
function keepDraft() {
  const form = $("#reply");
  if (!form) return;
  const body = new URLSearchParams({ mode: form.elements.mode.value, text: form.elements.text.value });
  const address = form.dataset.draft;
  clearTimeout(saving);
  saving = setTimeout(() => fetch(address, { method: "POST", body, keepalive: true }).catch(() => {}), 500);
}
function switchTo(mode) {
  const form = $("#reply");
  if (!form) { if ($("#note")) $("#note").focus(); else press(mode[0]); return; }
  const radio = $(`input[name=mode][value=${mode}]`, form);
  radio.checked = true;
  privately();
  $("#text").focus();
}
let seeking = 0;
async function seekSnippet() {
  const text = $("#text"), box = $("#snippets");
  if (!text || !box) return;
  const line = text.value.slice(0, text.selectionStart).split("\n").pop();
  const care = line.startsWith(";") || line.startsWith("\uff1b");
  if (!care && !line.startsWith("/") && !line.startsWith("、")) { box.hidden = true; return; }
  const turn = ++seeking;
  const answer = await fetch(`${$("#reply").dataset.snippets}?kind=${care ? "care" : "answer"}&q=${encodeURIComponent(line.slice(1))}`, { headers: { "HX-Request": "true" } });
  if (!answer.ok || turn !== seeking) return;
  box.replaceChildren(document.createRange().createContextualFragment(await answer.text()));
  box.hidden = false;
  $(".snippet", box)?.classList.add("on");
}
function useSnippet(button) {
  const text = $("#text"), before = text.value.slice(0, text.selectionStart), rest = text.value.slice(text.selectionStart);
  const start = before.lastIndexOf("\n") + 1;
  text.value = before.slice(0, start) + button.dataset.text + rest;
  $("#snippets").hidden = true;
  text.focus();
  const open = text.value.indexOf("{", start);
  if (open >= 0) text.setSelectionRange(open, text.value.indexOf("}", open) + 1);
  keepDraft();
  count();
}
document.addEventListener("input", (event) => { if (event.target.id === "text") { keepDraft(); count(); seekSnippet(); } });
document.addEventListener("change", (event) => {
  if (event.target.name === "mode") { privately(); keepDraft(); }
  if (event.target.matches(".pick")) pick(event.target);
  if (event.target.closest(".script")) branch();
});

function composing(event) { return event.isComposing || event.keyCode === 229; } // Enter chooses a word then

function inComposer(event) {
  const box = $("#snippets"), open = box && !box.hidden;
  if (open && ["ArrowDown", "ArrowUp"].includes(event.key)) {
    event.preventDefault();
    step($$(".snippet", box), event.key === "ArrowDown" ? 1 : -1);
  } else if (open && ["Enter", "Tab"].includes(event.key) && $(".snippet.on", box)) {
    event.preventDefault();
    useSnippet($(".snippet.on", box));
  } else if (event.key === "Escape") {
    if (open) box.hidden = true; else event.target.blur();
  } else if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    if (!event.target.value.trim()) return;
    $("#at-once").value = event.ctrlKey || event.metaKey ? "1" : "";
    event.target.form.requestSubmit();
  }
}
function step(items, by) {
  const at = items.findIndex((item) => item.classList.contains("on"));
  items[at]?.classList.remove("on");
  const next = items[(at + by + items.length) % items.length];
  next?.classList.add("on");
  next?.scrollIntoView({ block: "nearest" });
}

// --- Keys ---------------------------------------------------------------------------------------------------------

let waitingForPlace = false;
let following = ""; // where to go once this one is settled
function next() { const all = rows(), at = all.indexOf(current()); return all[at + 1] || all[at - 1]; }
function rows() { return $$("#people .row"); }
function move(by) {
  const all = rows();
  const at = all.findIndex((row) => row.id === cursor || row.classList.contains("cursor")); // also while the list is drawn anew
  const from = at < 0 ? all.findIndex((row) => row.classList.contains("chosen")) : at;
  all[at]?.classList.remove("cursor");
  const next = all[Math.min(all.length - 1, Math.max(0, from + by))];
  next?.classList.add("cursor");
  next?.scrollIntoView({ block: "nearest" });
  cursor = next?.id || "";
}
let cursor = "";
function current() { return $("#people .row.cursor") || document.getElementById(cursor) || $("#people .row.chosen"); }
function press(key) {
  const found = $(`[data-key=${key}]`);
  if (!found) return;
  if (found.tagName === "INPUT") found.focus(); else found.click();
}
const KEYS = {
  j: () => move(1), k: () => move(-1), r: () => switchTo("reply"), n: () => switchTo("note"), c: () => switchTo("call"),
  m: () => press("m"), a: () => press("a"), s: () => press("s"), e: () => press("e"), t: () => press("t"),
  E: () => { following = next()?.querySelector("a")?.href || ""; press("e"); },
  X: () => pickUpTo(),
  x: () => { const box = $(".pick", current() || document); if (box) { box.checked = !box.checked; pick(box); } },
  g: () => { waitingForPlace = true; setTimeout(() => { waitingForPlace = false; }, 1200); },
  "?": () => $("#help").showModal(), "/": () => ($("#seek") || $("[type=search]"))?.focus(),
  Enter: () => {
    const bank = $(".bank form.question:has(:checked)"), ended = $(".script:has([name=outcome]:checked)");
    if (bank || ended) (bank || ended).requestSubmit(); else $("a", $("#people .row.cursor") || document.createElement("p"))?.click();
  },
};
document.addEventListener("keydown", (event) => {
  if (composing(event)) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    const bar = $("#commands");
    if (bar && !bar.open) { bar.showModal(); $("input", bar).select(); htmx.trigger($("input", bar), "input"); }
    return;
  }
  if (event.target.id === "text") { inComposer(event); return; }
  if (event.target.closest("#commands")) {
    const items = $$("#command-results a");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); step(items, event.key === "ArrowDown" ? 1 : -1); }
    if (event.key === "Enter") { event.preventDefault(); ($("#command-results a.on") || items[0])?.click(); }
    return;
  }
  if (event.target.matches("input:not([type=checkbox], [type=radio]), textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && lastUndo) { event.preventDefault(); lastUndo(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
  if (waitingForPlace) { waitingForPlace = false; const place = $(`[data-go="${event.key.toLowerCase()}"]`); if (place) { event.preventDefault(); place.click(); return; } }
  if (event.key === "Enter" && event.target !== document.body) return;
  if (/^[0-9]$/.test(event.key) && answerWith(event.key)) { event.preventDefault(); return; }
  const act = KEYS[event.key] || KEYS[event.key.toLowerCase()];
  if (act) { event.preventDefault(); act(); }
});

// --- The call screen: a question at a time, its answers by their numbers; then how the call ended. ------------------

function branch() {
  const form = $(".script");
  if (!form) return;
  let current = null;
  for (const question of $$(".question", form)) {
    const { after, when } = question.dataset;
    const applies = !after || when.split("|").includes(form.elements[after]?.value || "");
    question.hidden = !applies;
    question.classList.remove("current");
    if (applies && !current && !$("input:checked", question)) current = question;
  }
  current?.classList.add("current");
}
function answerWith(digit) {
  const bank = $(`.bank .question [data-digit="${digit}"]`);
  if (bank) { bank.click(); return true; }
  if ($(".bank .question")) return false;
  const current = $(".script .question.current"), place = Number(digit) - 1;
  const chosen = current ? $$("input", current)[place] : $(`[data-outcome="${digit}"]`);
  if (!chosen) return false;
  chosen.click();
  branch();
  $(".script .question.current")?.scrollIntoView({ block: "nearest" });
  return true;
}
const opened = Date.now();
setInterval(() => {
  const place = $("[data-timer]");
  if (!place) return;
  const seconds = Math.floor((Date.now() - opened) / 1000);
  place.textContent = `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
}, 1000);

// --- Several at once ------------------------------------------------------------------------------------------------

const picked = new Set();
let lastPicked = null;
function pickUpTo() {
  const all = rows(), here = all.indexOf(current()), from = lastPicked === null ? here : all.findIndex((row) => row.dataset.id === lastPicked);
  for (const row of all.slice(Math.min(from, here), Math.max(from, here) + 1)) { const box = $(".pick", row); box.checked = true; pick(box); }
}
function pick(box) { lastPicked = box.value; if (box.checked) picked.add(box.value); else picked.delete(box.value); mark(); }
function mark() {
  const bar = $("#bulkbar");
  if (!bar) return;
  for (const box of $$(".pick")) box.checked = picked.has(box.value);
  for (const old of $$("input[type=hidden]", bar)) old.remove();
  for (const id of picked) { const field = document.createElement("input"); field.type = "hidden"; field.name = "id"; field.value = id; bar.append(field); }
  $("#picked").textContent = picked.size;
  bar.hidden = !picked.size;
  $(".people")?.classList.toggle("picking", picked.size > 0);
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open]");
  if (opener) $(`#${opener.dataset.open}`)?.showModal();
  if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
  const put = event.target.closest("[data-insert]"), field = put && document.getElementById(put.dataset.into);
  if (field) { field.setRangeText(put.dataset.insert, field.selectionStart, field.selectionEnd, "end"); field.focus(); field.dispatchEvent(new Event("input", { bubbles: true })); }
  if (event.target.closest("[data-sound]")) { ready(); setTimeout(() => { ring(); beep("E"); }, 150); }
  const snippet = event.target.closest(".snippet");
  if (snippet) useSnippet(snippet);
  for (const menu of $$("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});

// --- After every change of the page -------------------------------------------------------------------------------

// What somebody has open to choose from or to write into is not drawn anew under their hands.
const HELD_OPEN = { people: ".more-filters[open]", live: "#live details[open]" };
document.addEventListener("htmx:before:request", (event) => {
  const source = event.detail?.ctx?.sourceElement || event.target;
  const open = HELD_OPEN[source?.id];
  if (open && $(open) && event.detail?.ctx?.request?.headers?.["X-Live"]) event.preventDefault();
});
document.addEventListener("toggle", (event) => { if (event.target.matches?.("details") && !event.target.open) changed(); }, true);

document.addEventListener("load", (event) => {
  const lines = $("#lines");
  if (atEnd && lines && event.target.closest?.(".picture")) lines.scrollTop = lines.scrollHeight;
}, true);

let mentioned = Number(sessionStorage.getItem("mentioned") || 0);
function tellMention() {
  const place = $("[data-mention]");
  if (!place || Number(place.dataset.mention) <= mentioned) return;
  mentioned = Number(place.dataset.mention);
  sessionStorage.setItem("mentioned", mentioned);
  const seed = document.createElement("div");
  Object.assign(seed.dataset, { words: place.textContent.trim(), undo: "", held: "0" });
  document.body.append(seed);
  toast(seed);
}

let atEnd = true, lastLine = "";
document.addEventListener("scroll", (event) => {
  if (event.target.id === "lines") atEnd = event.target.scrollHeight - event.target.scrollTop - event.target.clientHeight < 60;
}, true);
function settle() {
  for (const seed of $$(".toast-seed")) toast(seed);
  const lines = $("#lines");
  if (lines) {
    const newest = lines.lastElementChild?.id || "";
    if (atEnd || !lastLine) lines.scrollTop = lines.scrollHeight;
    lastLine = newest;
  }
  // The conversation changed hands: so does the composer.
  const live = $("#live [data-owner]"), composer = $("#composer");
  if (live && composer && live.dataset.owner !== composer.dataset.owner) {
    composer.dataset.owner = live.dataset.owner;
    document.body.dispatchEvent(new CustomEvent("owner"));
  }
  if (cursor) document.getElementById(cursor)?.classList.add("cursor");
  if (following && !$("#reply") && !$(".conversation > .problem")) { const to = following; following = ""; location.href = to; }
  if ($("#bulk form") && !$("#bulk").open) $("#bulk").showModal();
  tellMention();
  mark();
  ring();
}
let settled = null;
for (const name of ["htmx:after:swap", "htmx:after:settle", "htmx:finally:swap"]) {
  document.addEventListener(name, () => { clearTimeout(settled); settled = setTimeout(() => { settle(); privately(); }, 10); });
}
document.addEventListener("htmx:after:request", (event) => {
  if (event.target?.id === "reply") atEnd = true;
});
document.addEventListener("DOMContentLoaded", () => {
  const live = $("[data-live]");
  if (live) listen(live.dataset.live);
  privately();
  branch();
  settle();
  $("#reply textarea")?.focus();
});
