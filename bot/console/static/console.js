// Live updates and the Enter key. Everything else is plain forms.
"use strict";

function listen(desk) {
  const status = document.getElementById("connection");
  const source = new EventSource(desk.dataset.live);
  source.addEventListener("open", () => { status.textContent = "已连接"; status.className = "connection"; });
  source.addEventListener("error", () => { status.textContent = "连接中断，正在重连"; status.className = "connection lost"; });
  source.addEventListener("changed", (event) => {
    if (desk.dataset.state === event.data) return;
    desk.dataset.state = event.data;
    document.body.dispatchEvent(new CustomEvent("changed"));
  });
}

function bottom() {
  const lines = document.querySelector(".lines");
  if (lines) lines.scrollTop = lines.scrollHeight;
}

document.addEventListener("DOMContentLoaded", () => {
  const desk = document.querySelector("[data-live]");
  if (desk) listen(desk);
  bottom();
});

for (const name of ["htmx:afterSwap", "htmx:after:swap"]) document.addEventListener(name, bottom);

document.addEventListener("keydown", (event) => {
  // While Chinese is being composed, Enter chooses a word: it must not send.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  if (event.target.tagName !== "TEXTAREA") return;
  event.preventDefault();
  if (event.target.value.trim()) event.target.form.requestSubmit();
});

// A draft outlives live updates (hx-preserve); once it is sent it is gone.
document.addEventListener("submit", (event) => {
  if (!event.target.matches(".reply")) return;
  const box = event.target.querySelector("textarea");
  setTimeout(() => { box.value = ""; }, 0);
});
