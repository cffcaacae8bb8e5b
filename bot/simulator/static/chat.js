// Bubbles: one function for each kind of message.

import { avatar, clockTime, el, icon, separator } from "./dom.js";

const QUIET = 5 * 60 * 1000;
const LINK = /<a\s[^>]*?href=["']([^"']+)["'][^>]*>([\s\S]*?)<\/a>|(https?:\/\/[^\s<>"'，。；！？）)】]+)/g;

// *doings* are what a tap may do: choose(text, id), follow(url), card(task, key), open(url).
export function render(chat, phone, bubbles, now, doings, base) {
  const context = { phone, doings, base };
  let last = 0;
  const rows = [];
  for (const bubble of bubbles) {
    const at = new Date(bubble.at);
    if (at - last > QUIET || last === 0) rows.push(el("p", { class: "moment" }, separator(at, now)));
    last = at;
    rows.push(row(bubble, context));
  }
  chat.replaceChildren(...rows);
}

function row(bubble, context) {
  if (bubble.side === "system") return el("p", { class: `notice notice-${bubble.kind}` }, bubble.text);
  const body = bodyOf(bubble, context);
  if (bubble.kind === "template" || isWide(bubble)) return el("div", { class: "row wide" }, body);
  const face = bubble.side === "mine" ? avatar("person", context.phone.name) : theirFace(context.phone);
  return el("div", { class: `row ${bubble.side}`, "data-kind": bubble.kind, "data-via": bubble.via }, face, body);
}

const isWide = (bubble) => bubble.side === "theirs" && ["news"].includes(bubble.kind);

export function theirFace(phone) {
  return avatar({ wx: "account", wecom: "app", kf: "desk" }[phone.kind], phone.title);
}

function bodyOf(bubble, context) {
  const draw = DRAWINGS[bubble.kind];
  return draw ? draw(bubble, context) : text(bubble, context);
}

function text(bubble, context) {
  return el("div", { class: "bubble" }, ...withLinks(bubble.text || `［${NAMES[bubble.kind] ?? bubble.kind}］`, context));
}

const NAMES = { link: "链接", file: "文件", music: "音乐", wxcard: "卡券", miniprogrampage: "小程序", location: "位置" };

export function withLinks(words, context) {
  const nodes = [];
  let from = 0;
  for (const found of words.matchAll(LINK)) {
    nodes.push(words.slice(from, found.index));
    const url = (found[1] ?? found[3]).replaceAll("&amp;", "&");
    nodes.push(link(found[2] ?? found[3], url, context));
    from = found.index + found[0].length;
  }
  nodes.push(words.slice(from));
  return nodes;
}

function link(label, url, { doings }) {
  if (url.startsWith("weixin://bizmsgmenu")) {
    const query = new URLSearchParams(url.split("?")[1]);
    return el("button", { type: "button", class: "link", onclick: () => doings.choose(query.get("msgmenucontent"), query.get("msgmenuid")) }, label);
  }
  if (!/^https?:\/\//.test(url)) return label;
  return el("a", { class: "link", href: url, target: "_blank", rel: "noopener" }, label);
}

function local(url, base) {
  return url && url.startsWith(`${base}/`) ? url.slice(base.length + 1) : url;
}

function image(bubble, { base }) {
  const url = local(bubble.content.url, base);
  return el("div", { class: "bubble picture" }, url ? el("img", { src: url, alt: "图片", loading: "lazy" }) : "［图片］");
}

function voice(bubble) {
  const seconds = bubble.content.seconds ?? 3;
  const width = Math.min(4, Math.max(1, Math.ceil(seconds / 5)));
  return el("div", { class: `bubble voice voice-${width}`, "aria-label": `语音 ${seconds} 秒` }, icon("waves"), `${seconds}″`);
}

function video(bubble) {
  return el("div", { class: "bubble picture video" }, el("span", { class: "play", "aria-label": "视频" }, "▶"));
}

function place(bubble) {
  return el("div", { class: "bubble place" },
    el("b", {}, bubble.text || "位置"),
    el("span", { class: "map", "aria-hidden": "true" }, icon("place")));
}

function menu(bubble, context) {
  const { head, list = [], tail } = bubble.content;
  const items = list.map((item) => menuItem(item, context));
  return el("div", { class: "bubble msgmenu" },
    head ? el("p", {}, ...withLinks(head, context)) : null, ...items, tail ? el("p", {}, ...withLinks(tail, context)) : null);
}

function menuItem(item, { doings }) {
  const kind = item.type ?? "click";
  const inner = item[kind] ?? item;
  if (kind === "text") return el("p", {}, inner.content);
  if (kind === "view") return el("p", {}, el("a", { class: "link", href: inner.url, target: "_blank", rel: "noopener" }, inner.content));
  return el("p", {}, el("button", { type: "button", class: "link", onclick: () => doings.choose(inner.content, inner.id) }, inner.content));
}

function template(bubble) {
  const { title, rows, url } = bubble.content;
  const facts = rows.map(([label, value]) => el("div", { class: "fact" }, el("dt", {}, label), el("dd", {}, value)));
  const isPage = /^https?:\/\//.test(url ?? "");
  return el("article", { class: "card template" },
    el("h3", {}, title), el("time", {}, clockTime(new Date(bubble.at))), el("dl", {}, ...facts),
    isPage ? el("a", { class: "detail", href: url, target: "_blank", rel: "noopener" }, "查看详情") : null);
}

function news(bubble) {
  const [first, ...rest] = bubble.content.articles ?? [];
  if (!first) return el("div", { class: "card" }, bubble.text);
  const lead = articleLink(first, "lead",
    first.picture ? el("img", { src: first.picture, alt: "" }) : el("span", { class: "banner-picture" }, icon("hospital")),
    el("span", { class: "lead-words" }, el("b", {}, first.title), el("small", {}, first.description)));
  const others = rest.map((article) => articleLink(article, "also", el("span", {}, article.title),
    article.picture ? el("img", { src: article.picture, alt: "" }) : el("i", {})));
  return el("article", { class: "card news" }, lead, ...others);
}

function articleLink(article, className, ...children) {
  if (!/^https?:\/\//.test(article.url ?? "")) return el("div", { class: className }, ...children);
  return el("a", { class: className, href: article.url, target: "_blank", rel: "noopener" }, ...children);
}

function textCard(bubble) {
  const { title, description, url } = bubble.content;
  return articleLink({ url }, "bubble text-card",
    el("b", {}, title), el("span", {}, (description ?? "").replace(/<br\s*\/?>/g, "\n").replace(/<[^>]+>/g, "")), el("small", {}, "详情"));
}

function interactiveCard(bubble, { doings }) {
  const { card, task_id: task, replaced } = bubble.content;
  const rows = (card.horizontal_content_list ?? []).map((item) =>
    el("div", { class: "fact" }, el("dt", {}, item.keyname), el("dd", {}, item.value ?? "")));
  const buttons = (card.button_list ?? []).map((button) =>
    el("button", { type: "button", class: `press style-${button.style ?? 1}`, onclick: () => doings.card(task, button.key) }, button.text));
  const action = card.card_action?.url;
  return el("article", { class: "bubble wecom-card" },
    card.source?.desc ? el("small", { class: "source" }, card.source.desc) : null,
    el("h3", {}, card.main_title?.title ?? ""),
    card.main_title?.desc ? el("p", { class: "desc" }, card.main_title.desc) : null,
    card.emphasis_content ? el("p", { class: "emphasis" }, el("b", {}, card.emphasis_content.title ?? ""), el("small", {}, card.emphasis_content.desc ?? "")) : null,
    card.quote_area?.quote_text ? el("blockquote", {}, card.quote_area.quote_text) : null,
    card.sub_title_text ? el("p", { class: "sub" }, card.sub_title_text) : null,
    rows.length ? el("dl", {}, ...rows) : null,
    replaced ? el("p", { class: "replaced" }, replaced) : buttons.length ? el("div", { class: "presses" }, ...buttons) : null,
    action ? el("a", { class: "detail", href: action, target: "_blank", rel: "noopener" }, "查看详情") : null);
}

const DRAWINGS = {
  image, voice, video, shortvideo: video, location: place, msgmenu: menu, template, news,
  textcard: textCard, template_card: interactiveCard,
};

// One line for the list of phones.
export function preview(bubble) {
  if (!bubble) return "";
  const name = { image: "图片", voice: "语音", video: "视频", shortvideo: "视频", location: "位置" }[bubble.kind];
  return name ? `［${name}］` : bubble.text.replace(/<[^>]+>/g, "").replace(/\s+/g, " ");
}
