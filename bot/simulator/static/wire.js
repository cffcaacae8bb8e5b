// Talking to the simulator.

async function ask(method, path, body) {
  const options = { method };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { "Content-Type": "application/json" };
  }
  const response = await fetch(path, options);
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? `出错了（${response.status}）`);
  return answer;
}

export const state = () => ask("GET", "state");
export const act = (phone, wish) => ask("POST", `phones/${encodeURIComponent(phone)}`, wish);
export const addPerson = (name) => ask("POST", "people", { name });
export const moveClock = (wish) => ask("POST", "clock", wish);
export const addFault = (wish) => ask("POST", "faults", wish);
export const clearFaults = () => ask("DELETE", "faults");

export async function sendPicture(phone, file) {
  const path = `phones/${encodeURIComponent(phone)}/picture`;
  const response = await fetch(path, { method: "POST", body: file, headers: { "Content-Type": file.type } });
  if (!response.ok) throw new Error("图片没有发出去");
}

// Calls told(event) for every change; after a lost connection reconnected() first, since changes were missed.
export function listen(told, reconnected) {
  const source = new EventSource("events");
  let lost = false;
  source.onmessage = (event) => told(JSON.parse(event.data));
  source.onerror = () => { lost = true; };
  source.onopen = () => { if (lost) reconnected(); lost = false; };
}
