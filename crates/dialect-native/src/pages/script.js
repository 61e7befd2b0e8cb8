// Reads what a link proves from behind its `#`, which browsers send nowhere, and posts forms as JSON.
"use strict";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const proof = decodeURIComponent(location.hash.slice(1));

function say(text) {
  for (const place of all("[data-say]")) {
    place.textContent = text;
    place.hidden = !text;
  }
}

async function ask(method, path, body) {
  const headers = { "X-Bursar-Page": "1" };
  if (body) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body && JSON.stringify(body), credentials: "same-origin" });
  } catch {
    throw { title: "The server cannot be reached" };
  }
  const text = await answer.text();
  let value = {};
  try {
    value = text ? JSON.parse(text) : {};
  } catch {
    value = { title: "The server gave an answer that cannot be read" };
  }
  if (!answer.ok) throw value;
  return { status: answer.status, value };
}

function complain(problem, form) {
  const isCode = (problem.type || "").endsWith("/second-factor-needed");
  const code = form && form.querySelector("[data-code]");
  if (isCode && code) {
    code.hidden = false;
    say("");
    const field = code.querySelector("input");
    field.required = true;
    field.focus();
    return;
  }
  const title = problem.title || "It did not work";
  const isOfField = (problem.type || "").endsWith("/invalid-field");
  // Which field it is about is shown where it stands.
  if (isOfField && problem.detail) say(problem.detail);
  else say(problem.detail ? `${title}: ${problem.detail}` : title);
  const field = form && problem.field && form.elements[problem.field];
  if (field && field.focus) {
    field.setAttribute("aria-invalid", "true");
    field.focus();
  }
}

function content(form) {
  const body = {};
  for (const field of form.elements) {
    if (!field.name || field.closest("[hidden]")) continue;
    if (field.type === "checkbox") {
      if (field.checked) body[field.name] = true;
    } else if (field.value) {
      body[field.name] = field.value;
    }
  }
  if ("proof" in form.dataset) body.link = proof;
  return body;
}

async function submit(event) {
  event.preventDefault();
  const form = event.currentTarget;
  const button = form.querySelector("button[type=submit]");
  all("[aria-invalid]", form).forEach((field) => field.removeAttribute("aria-invalid"));
  button.disabled = true;
  say("");
  try {
    const { post, then, or } = form.dataset;
    const { status } = await (post ? ask("POST", post, content(form)) : ask("DELETE", form.dataset.delete));
    const place = status === 204 && or ? `${or}?joined` : then;
    if (place) {
      location.replace(place);
      return;
    }
    form.hidden = true;
    all("[data-done]").forEach((place) => (place.hidden = false));
  } catch (problem) {
    complain(problem, form);
  }
  button.disabled = false;
}

async function company(event) {
  const button = event.currentTarget;
  const body = {};
  if (button.dataset.organization) body.organization = button.dataset.organization;
  if (button.dataset.company === "invitation") body.link = proof;
  button.disabled = true;
  say("");
  try {
    const { value } = await ask("POST", "/api/v1/sessions/company", body);
    location.assign(value.location);
  } catch (problem) {
    complain(problem);
    button.disabled = false;
  }
}

// What a link says of itself, before anything is asked for.
async function read(place) {
  try {
    const { value } = await ask("POST", place.dataset.read, { link: proof });
    for (const gap of all("[data-fill]")) gap.textContent = value[gap.dataset.fill];
    for (const part of all("[data-when]")) part.hidden = !part.dataset.when.split(" ").every((name) => value[name]);
    for (const part of all("[data-unless]")) part.hidden = value.company && !value.password && !value.known;
    for (const button of all("[data-company]", place)) button.dataset.organization = value.organization;
    // What is not shown is not asked for.
    for (const field of all("[hidden] [required]", place)) field.required = false;
    place.hidden = false;
    const first = all("input, button", place).find((it) => !it.closest("[hidden]"));
    if (first) first.focus();
  } catch (problem) {
    complain(problem);
  }
}

all("form").forEach((form) => form.addEventListener("submit", submit));
all("[data-company]").forEach((button) => button.addEventListener("click", company));
all("[data-show]").forEach((tick) =>
  tick.addEventListener("change", () => {
    tick.form.elements[tick.dataset.show].type = tick.checked ? "text" : "password";
  }),
);
all("[data-read]").forEach(read);
all("time").forEach((time) => (time.textContent = new Date(time.dateTime).toLocaleString()));
if (all("[data-proof]").length && !proof) say("The link is not complete: open it from the letter again.");
window.addEventListener("hashchange", () => location.reload());
window.addEventListener("pageshow", (event) => event.persisted && location.reload());
