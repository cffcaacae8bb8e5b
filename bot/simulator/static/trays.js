// Beside the phone: whose it is, the clock, the SMS tray, the fault switches, the pushes.

import * as wire from "./wire.js";
import { $, avatar, clockTime, dayName, dayNumber, el, separator } from "./dom.js";
import { preview } from "./chat.js";

const GROUPS = [["wx", "患者的微信"], ["kf", "微信客服的顾客"], ["wecom", "员工的企业微信"]];
const FAULT_NAMES = {
  error: "返回错误码", http: "网关错误", garbage: "回答是乱码", hang: "收下后不回答",
  reset: "连接被掐断", dropped: "没有回音", "dead-token": "令牌失效",
};

export function people(phones, current, unread, now, switchTo) {
  const rows = GROUPS.flatMap(([kind, title]) => {
    const mine = phones.filter((one) => one.kind === kind);
    return mine.length ? [el("li", { class: "group" }, title), ...mine.map((one) => person(one, current, unread, now, switchTo))] : [];
  });
  $("people-list").replaceChildren(...rows);
}

function person(one, current, unread, now, switchTo) {
  const last = one.bubbles.at(-1);
  const count = unread.get(one.id);
  return el("li", {}, el("button", {
    type: "button", class: one.id === current ? "person current" : "person", "aria-current": one.id === current && "true",
    onclick: () => switchTo(one.id),
  },
  el("span", { class: "face" }, avatar("person", one.name), count ? el("span", { class: "badge" }, String(count)) : null),
  el("span", { class: "person-words" },
    el("b", {}, one.name, one.following ? null : el("em", {}, "未关注")),
    el("small", {}, last ? preview(last) : one.hint)),
  last ? el("time", {}, separator(new Date(last.at), now)) : null));
}

export function clock(now) {
  $("clock-time").textContent = clockTime(now);
  $("clock-day").textContent = dayName(now);
}

export function sms(messages, useCode) {
  $("sms-list").replaceChildren();
  for (const message of messages) addSms(message, useCode);
  if (!messages.length) $("sms-list").append(el("li", { class: "empty" }, "还没有短信"));
}

export const codeIn = (text) => /(?<!\d)\d{6}(?!\d)/.exec(text)?.[0] ?? null;

export function addSms(message, useCode) {
  const list = $("sms-list");
  list.querySelector(".empty")?.remove();
  const code = codeIn(message.text);
  const kind = { code: "验证码", notice: "通知", alarm: "报警", voice: "来电" }[message.kind] ?? message.kind;
  list.prepend(el("li", { class: `sms sms-${message.kind}` },
    el("header", {}, el("b", {}, message.to), el("span", {}, kind), el("time", {}, clockTime(new Date(message.at)))),
    el("p", {}, message.text),
    code ? el("button", { type: "button", class: "plain", onclick: () => useCode(code) }, `填入 ${code}`) : null));
}

export function faults({ waiting, copies }) {
  $("copies").checked = copies > 1;
  $("fault-list").replaceChildren(...waiting.map((fault) => el("li", {},
    el("b", {}, fault.kind === "error" ? `错误码 ${fault.code}` : FAULT_NAMES[fault.kind]),
    el("span", {}, fault.path || "所有接口"), el("em", {}, fault.times ? `剩 ${fault.times} 次` : "一直"))));
  $("clear-faults").hidden = !waiting.length && copies <= 1;
}

export function pushes(list) {
  const open = new Set([...document.querySelectorAll("#push-list details[open]")].map((one) => one.dataset.key));
  $("push-list").replaceChildren(...list.toReversed().map((push) => pushRow(push, open)));
  if (!list.length) $("push-list").append(el("li", { class: "empty" }, "还没有推送"));
}

function pushRow(push, open) {
  const key = push.at + push.xml;
  const last = push.attempts.at(-1);
  const outcome = push.reply === "failure" ? "失败" : push.reply === "none" ? "已收下" : `回复 ${push.reply}`;
  return el("li", { class: push.reply === "failure" ? "failed" : "" }, el("details", { "data-key": key, open: open.has(key) },
    el("summary", {}, el("time", {}, clockTime(new Date(push.at))), el("b", {}, push.type), el("span", {}, outcome),
      el("em", {}, push.attempts.length > 1 ? `${push.attempts.length} 次 · ` : "", `${last.ms} ms`)),
    push.failure ? el("p", { class: "why" }, push.failure) : null,
    el("pre", {}, push.xml), push.answer ? el("pre", {}, push.answer) : null));
}

const CALLS_SHOWN = 30;

export function calls(list) {
  $("call-list").replaceChildren();
  if (!list.length) $("call-list").append(el("li", { class: "empty" }, "还没有调用"));
  for (const call of list) addCall(call);
}

export function addCall(call) {
  const list = $("call-list");
  list.querySelector(".empty")?.remove();
  const outcome = call.code === null ? "没有回答" : call.code === 0 ? "成功" : `错误码 ${call.code}`;
  list.prepend(el("li", { class: call.code === 0 ? "" : "failed" }, el("details", {},
    el("summary", {}, el("time", {}, clockTime(new Date(call.at))), el("b", {}, call.path.replace(/^\/cgi-bin\//, "")), el("span", {}, outcome)),
    call.body ? el("pre", {}, JSON.stringify(call.body, null, 1)) : null)));
  while (list.children.length > CALLS_SHOWN) list.lastElementChild.remove();
}

function tomorrowAt(now, time) {
  const day = new Date((dayNumber(now) + 1) * 86400000).toISOString().slice(0, 10);
  return `${day}T${time}`;
}

export function wireUp(now, banner) {
  const tell = (error) => banner("小护模拟器", error.message);
  const move = (wish) => wire.moveClock(wish).catch(tell);
  $("clock-steps").addEventListener("click", ({ target }) => {
    if (target.dataset.seconds) move({ seconds: Number(target.dataset.seconds) });
    if (target.dataset.tomorrow) move({ to: tomorrowAt(now(), target.dataset.tomorrow) });
  });
  $("clock-to").addEventListener("submit", (event) => {
    event.preventDefault();
    move({ to: new FormData(event.target).get("to") });
  });
  $("fault-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    const [kind, code] = form.get("kind").split(":");
    const times = form.get("times") ? Number(form.get("times")) : null;
    wire.addFault({ kind, code: Number(code), path: form.get("path"), times }).catch(tell);
  });
  $("copies").addEventListener("change", ({ target }) => wire.addFault({ copies: target.checked ? 2 : 1 }).catch(tell));
  $("clear-faults").addEventListener("click", () => wire.clearFaults().catch(tell));
  $("new-person").addEventListener("submit", (event) => {
    event.preventDefault();
    const name = new FormData(event.target).get("name").trim();
    event.target.reset();
    if (name) wire.addPerson(name).catch(tell);
  });
  document.querySelector(".close-people").addEventListener("click", () => document.body.classList.remove("show-people"));
}
