// The phone: one chat at a time, its input bar, menu and drawers.

import * as wire from "./wire.js";
import { $, avatar, clockTime, el, icon } from "./dom.js";
import { render, theirFace } from "./chat.js";
import * as trays from "./trays.js";

const EMOJI = [..."😀😄😊🙂😉😌😅😂🤣😭😢😔😟😨😱😡👍👌🙏💪👏🤝❤️💔🌹🎉☀️🌙"].filter((c) => c !== "\uFE0F");
const BANNER_TIME = 8000;
const LONGEST_VOICE = 60;

const world = { phones: [], current: null, skew: 0, base: "", scenes: [], busy: new Map(), typing: new Map(), unread: new Map(), mode: "text", voice: false };

const now = () => new Date(Date.now() + world.skew);
const phone = () => world.phones.find(({ id }) => id === world.current);

async function load() {
  const state = await wire.state();
  world.phones = state.phones;
  world.base = state.base;
  world.scenes = state.scenes;
  setNow(state.now);
  if (!phone()) world.current = remembered() ?? world.phones[0]?.id ?? null;
  world.mode = phone()?.menu.length ? "menu" : "text";
  trays.sms(state.sms, useCode);
  trays.faults(state.faults);
  trays.pushes(state.pushes);
  trays.calls(state.calls);
  if (!state.movable) $("clock-steps").parentElement.hidden = true;
  draw();
}

function remembered() {
  const id = decodeURIComponent(location.hash.slice(1));
  return world.phones.some((one) => one.id === id) ? id : null;
}

function setNow(moment) {
  world.skew = new Date(moment) - Date.now();
  tick();
}

function tick() {
  $("phone-time").textContent = clockTime(now());
  trays.clock(now());
}

function draw() {
  drawPeople();
  drawChat();
  drawDock();
}

function drawPeople() {
  trays.people(world.phones, world.current, world.unread, now(), switchTo);
  const elsewhere = [...world.unread.entries()].filter(([id]) => id !== world.current).reduce((sum, [, n]) => sum + n, 0);
  $("unread-elsewhere").textContent = elsewhere ? String(elsewhere) : "";
}

function switchTo(id) {
  world.current = id;
  world.unread.delete(id);
  world.voice = false;
  $("code-chip").hidden = true;
  world.mode = phone().menu.length ? "menu" : "text";
  history.replaceState(null, "", `#${encodeURIComponent(id)}`);
  document.body.classList.remove("show-people");
  closeDrawers();
  draw();
}

function drawChat() {
  const one = phone();
  $("phone").dataset.kind = one?.kind ?? "wx";
  if (!one) return;
  drawTitle();
  const chat = $("chat");
  render(chat, one, one.bubbles, now(), doings, world.base);
  if (!one.following) chat.append(el("p", { class: "notice" }, "你还没有关注这个服务号"));
  else if (!one.bubbles.length) chat.append(el("p", { class: "notice" }, "发一句话试试"));
  chat.scrollTop = chat.scrollHeight;
}

function drawTitle() {
  const one = phone();
  const busy = (world.busy.get(one.id) ?? 0) > 0 || (world.typing.get(one.id) ?? 0) > Date.now();
  $("chat-title").textContent = busy ? "对方正在输入…" : one.title;
}

const doings = {
  choose: (text, item) => act({ do: "choose", text, item }),
  card: (task, key) => act({ do: "card", task, key }),
};

async function act(wish) {
  try {
    await wire.act(world.current, wish);
  } catch (error) {
    banner("小护模拟器", error.message);
  }
}

// The input bar

function drawDock() {
  const one = phone();
  const dock = $("dock");
  if (!one) return;
  if (!one.following) {
    dock.replaceChildren(el("button", { type: "button", class: "follow", onclick: () => act({ do: "follow" }) }, "关注服务号"));
    return;
  }
  dock.replaceChildren(...(world.mode === "menu" && one.menu.length ? menuDock(one) : textDock(one)));
}

function round(name, label, onclick, extra = "") {
  return el("button", { type: "button", class: `round ${extra}`, "aria-label": label, onclick }, icon(name));
}

function menuDock(one) {
  const tops = one.menu.map((top, index) => el("button", {
    type: "button", class: "menu-top", "aria-haspopup": Boolean(top.sub_button?.length) && "true",
    onclick: (event) => openMenu(event.currentTarget, top, index),
  }, top.sub_button?.length ? el("i", { class: "menu-mark" }) : null, top.name));
  return [round("keyboard", "切换到键盘", () => setMode("text"), "edge"), el("div", { class: "menu-bar" }, ...tops)];
}

function openMenu(button, top, index) {
  const wasOpen = document.querySelector(".submenu")?.dataset.index === String(index);
  document.querySelector(".submenu")?.remove();
  if (!top.sub_button?.length) return act({ do: "press", name: top.name });
  if (wasOpen) return undefined;
  const items = top.sub_button.map((item) => el("button", {
    type: "button", onclick: () => { document.querySelector(".submenu")?.remove(); act({ do: "press", name: item.name }); },
  }, item.name));
  button.append(el("div", { class: "submenu", "data-index": index, onclick: (event) => event.stopPropagation() }, ...items));
  return undefined;
}

function setMode(mode) {
  world.mode = mode;
  closeDrawers();
  drawDock();
  if (mode === "text") $("message")?.focus();
}

function textDock(one) {
  const input = el("textarea", {
    id: "message", rows: 1, "aria-label": "输入消息", maxlength: 10000, enterkeyhint: "send", autocomplete: "off",
    onkeydown: onKey, oninput: fit, onfocus: closeDrawers,
  });
  const send = el("button", { type: "button", class: "send", id: "send", hidden: true, onclick: sendText }, "发送");
  const voice = round(world.voice ? "keyboard" : "voice", world.voice ? "切换到键盘" : "切换到语音", () => {
    world.voice = !world.voice;
    closeDrawers();
    drawDock();
  });
  const middle = world.voice ? holdToTalk() : input;
  const more = round("plus", "更多", () => toggle("plus"));
  more.id = "plus";
  return [
    one.menu.length ? round("menu", "切换到菜单", () => setMode("menu"), "edge") : null,
    one.kind === "wecom" ? null : voice, middle, round("smile", "表情", () => toggle("emoji")), more, send,
  ].filter(Boolean);
}

// Enter while an input method is composing picks a candidate: it must not send.
function onKey(event) {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  sendText();
}

function fit() {
  const input = $("message");
  input.style.height = "auto";
  input.style.height = `${Math.min(input.scrollHeight, 120)}px`;
  const empty = input.value.trim() === "";
  $("send").hidden = empty;
  $("plus").hidden = !empty;
}

function sendText() {
  const input = $("message");
  const text = input.value;
  if (text.trim() === "") return;
  input.value = "";
  fit();
  input.focus();
  act({ do: "say", text });
}

function holdToTalk() {
  let began = 0;
  const button = el("button", { type: "button", class: "talk" }, "按住 说话");
  const end = () => {
    if (!began) return;
    const seconds = Math.min(LONGEST_VOICE, Math.max(1, Math.round((Date.now() - began) / 1000)));
    began = 0;
    button.textContent = "按住 说话";
    button.classList.remove("talking");
    act({ do: "voice", seconds });
  };
  const begin = (event) => {
    if (event.type === "keydown" && (event.key !== " " || event.repeat)) return;
    event.preventDefault();
    began = Date.now();
    button.textContent = "松开 发送";
    button.classList.add("talking");
  };
  button.addEventListener("pointerdown", begin);
  button.addEventListener("keydown", begin);
  for (const name of ["pointerup", "pointerleave", "keyup"]) button.addEventListener(name, end);
  return button;
}

// Drawers: emoji and the + panel

function closeDrawers() {
  $("drawer").hidden = true;
  $("drawer").dataset.open = "";
  $("sheet").hidden = true;
}

function toggle(name) {
  const drawer = $("drawer");
  if (drawer.dataset.open === name) return closeDrawers();
  drawer.dataset.open = name;
  drawer.hidden = false;
  drawer.replaceChildren(name === "emoji" ? emojiPanel() : plusPanel());
  $("chat").scrollTop = $("chat").scrollHeight;
  return undefined;
}

function emojiPanel() {
  return el("div", { class: "emoji" }, ...EMOJI.map((face) => el("button", {
    type: "button", "aria-label": face, onclick: () => { if (world.voice) return; $("message").value += face; fit(); },
  }, face)));
}

function plusPanel() {
  const kind = phone().kind;
  const items = [
    ["picture", "照片", () => $("picture-file").click(), ["wx", "kf"]],
    ["video", "视频", () => act({ do: "video" }), ["wx"]],
    ["place", "位置", () => act({ do: "place" }), ["wx"]],
    ["mic", "语音", () => act({ do: "voice", seconds: 4 }), ["wx", "kf"]],
    ["scan", "扫一扫", openScanner, ["wx"]],
    ["menu", "进入会话", () => act({ do: "enter" }), ["wecom", "kf"]],
  ];
  return el("div", { class: "plus-panel" }, ...items.filter(([, , , kinds]) => kinds.includes(kind)).map(([name, label, doing]) =>
    el("button", { type: "button", onclick: () => { closeDrawers(); doing(); } }, el("span", {}, icon(name)), label)));
}

function openSheet(...children) {
  $("sheet").replaceChildren(...children);
  $("sheet").hidden = false;
}

function openScanner() {
  const codes = world.scenes.map(([scene, where]) => el("button", {
    type: "button", class: "scene", onclick: () => { closeDrawers(); act({ do: "scan", scene }); },
  }, icon("scan"), el("span", {}, where, el("small", {}, scene))));
  const form = el("form", { class: "inline-form", onsubmit: (event) => {
    event.preventDefault();
    const scene = new FormData(event.target).get("scene").trim();
    if (scene) { closeDrawers(); act({ do: "scan", scene }); }
  } }, el("input", { name: "scene", placeholder: "二维码的场景值", "aria-label": "二维码的场景值", maxlength: 64, autocomplete: "off" }), el("button", {}, "扫码"));
  openSheet(el("div", { class: "scanner" },
    el("button", { type: "button", class: "plain sheet-close", "aria-label": "关闭", onclick: closeDrawers }, "✕"),
    el("div", { class: "viewfinder" }), el("p", {}, "选择要扫的二维码"), ...codes, form));
}

function openProfile() {
  const one = phone();
  const leave = el("button", { type: "button", class: "danger", onclick: () => { closeDrawers(); act({ do: "unfollow" }); } }, "取消关注");
  openSheet(el("div", { class: "profile" },
    el("button", { type: "button", class: "plain sheet-close", "aria-label": "关闭", onclick: closeDrawers }, "✕"),
    el("div", { class: "profile-head" }, theirFace(one), el("div", {}, el("b", {}, one.title), el("small", {}, { wx: "服务号", wecom: "企业微信应用", kf: "微信客服" }[one.kind]))),
    el("div", { class: "profile-person" }, avatar("person", one.name), el("div", {}, el("b", {}, one.name), el("small", {}, one.hint))),
    ...(one.following ? one.templates : []).map(([template, title]) => el("button", {
      type: "button", class: "allow", onclick: () => { closeDrawers(); act({ do: "allow", template }); },
    }, `允许发一次“${title}”通知`)),
    one.kind === "wx" && one.following ? leave : null));
}

// What comes by itself

const told = {
  bubble({ phone: id, bubble }) {
    const one = world.phones.find((other) => other.id === id);
    if (!one) return load();
    const index = one.bubbles.findIndex(({ number }) => number === bubble.number);
    if (index >= 0) one.bubbles[index] = bubble;
    else one.bubbles.push(bubble);
    world.typing.delete(id);
    if (id === world.current) drawChat();
    else if (bubble.side === "theirs") world.unread.set(id, (world.unread.get(id) ?? 0) + 1);
    return drawPeople();
  },
  busy({ phone: id, busy, following }) {
    world.busy.set(id, Math.max(0, (world.busy.get(id) ?? 0) + (busy ? 1 : -1)));
    const one = world.phones.find((other) => other.id === id);
    if (one && following !== undefined && following !== one.following) {
      one.following = following;
      load();
    }
    if (id === world.current) drawTitle();
  },
  typing({ phone: id, until }) {
    if (until) world.typing.set(id, new Date(until) - world.skew);
    else world.typing.delete(id);
    if (id === world.current) drawTitle();
  },
  sms({ sms }) {
    trays.addSms(sms, useCode);
    banner(sms.kind === "voice" ? `来电 · ${sms.to}` : `短信 · ${sms.to}`, sms.text);
    const code = trays.codeIn(sms.text);
    if (code && phone()?.kind !== "wecom") offerCode(code);
  },
  open({ phone: id, url }) { if (id === world.current) openSheet(pageSheet(url)); },
  notice({ text }) { banner("小护模拟器", text); },
  pushes({ pushes, faults }) { trays.pushes(pushes); trays.faults(faults); },
  call({ call }) { trays.addCall(call); },
  fault({ faults }) { trays.faults(faults); },
  faults({ faults }) { trays.faults(faults); },
  menu() { load(); },
  people() { load(); },
  clock() { drawChat(); drawPeople(); },
};

function pageSheet(url) {
  return el("div", { class: "profile" },
    el("button", { type: "button", class: "plain sheet-close", "aria-label": "关闭", onclick: closeDrawers }, "✕"),
    el("p", {}, "菜单要打开网页："), el("a", { class: "go", href: url, target: "_blank", rel: "noopener", onclick: closeDrawers }, url));
}

let bannerTimer = 0;

function banner(title, text) {
  const node = $("banner");
  node.replaceChildren(el("b", {}, title), el("span", {}, text));
  node.hidden = false;
  clearTimeout(bannerTimer);
  bannerTimer = setTimeout(() => { node.hidden = true; }, BANNER_TIME);
}

function offerCode(code) {
  const chip = $("code-chip");
  chip.replaceChildren(el("button", { type: "button", onclick: () => useCode(code) }, el("small", {}, "来自“信息”"), code));
  chip.hidden = false;
  setTimeout(() => { chip.hidden = true; }, 60000);
}

function useCode(code) {
  $("code-chip").hidden = true;
  world.voice = false;
  setMode("text");
  $("message").value = code;
  fit();
}

$("back").addEventListener("click", () => document.body.classList.toggle("show-people"));
$("more").addEventListener("click", openProfile);
$("banner").addEventListener("click", () => { $("banner").hidden = true; });
$("chat").addEventListener("click", () => { closeDrawers(); document.querySelector(".submenu")?.remove(); });
$("picture-file").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  event.target.value = "";
  if (file) await wire.sendPicture(world.current, file).catch((error) => banner("小护模拟器", error.message));
});
trays.wireUp(now, banner);
wire.listen((event) => { setNow(event.now); told[event.what]?.(event); }, load);
setInterval(tick, 1000);
await load();
