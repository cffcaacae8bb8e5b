// Building pages without strings of HTML: nothing a patient types can become markup.

export const $ = (id) => document.getElementById(id);

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function icon(name, className = "") {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  if (className) svg.setAttribute("class", className);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

const COLOURS = 8;

export function avatar(kind, name) {
  if (kind === "account") return el("span", { class: "avatar avatar-account" }, icon("hospital"));
  if (kind === "app") return el("span", { class: "avatar avatar-app" }, icon("hospital"));
  if (kind === "desk") return el("span", { class: "avatar avatar-desk" }, icon("desk"));
  let sum = 0;
  for (const character of name) sum = (sum * 131 + character.codePointAt(0)) % 9973;
  const letters = [...name.replace(/[（(].*$/, "")];
  return el("span", { class: `avatar avatar-${(sum >> 3) % COLOURS}` }, letters.at(-1) ?? "？");
}

const ZONE = "Asia/Shanghai";

function parts(moment) {
  const format = new Intl.DateTimeFormat("zh-CN", {
    timeZone: ZONE, year: "numeric", month: "numeric", day: "numeric",
    hour: "2-digit", minute: "2-digit", hourCycle: "h23", weekday: "long",
  });
  return Object.fromEntries(format.formatToParts(moment).map(({ type, value }) => [type, value]));
}

export function clockTime(moment) {
  const { hour, minute } = parts(moment);
  return `${hour}:${minute}`;
}

export function dayName(moment) {
  const { year, month, day, weekday } = parts(moment);
  return `${year}年${month}月${day}日 ${weekday}`;
}

export function dayNumber(moment) {
  const { year, month, day } = parts(moment);
  return Date.UTC(year, month - 1, day) / 86400000;
}

// As WeChat writes it between messages: 10:05, 昨天 10:05, 星期一 10:05, 2026年6月1日 10:05.
export function separator(moment, now) {
  const age = dayNumber(now) - dayNumber(moment);
  const time = clockTime(moment);
  if (age === 0) return time;
  if (age === 1) return `昨天 ${time}`;
  const { year, month, day, weekday } = parts(moment);
  return age > 1 && age < 7 ? `${weekday} ${time}` : `${year}年${month}月${day}日 ${time}`;
}
