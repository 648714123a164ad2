// The path through the product, step by step: what is asked, what must come back.
import { spawnSync } from "node:child_process";
import { curl, dim, outcome, say, title } from "./say.mjs";

let wrong = 0;
// `answer`: shown when it is wrong.
const judge = (isRight, text, answer) => {
  if (!isRight) wrong += 1;
  outcome(isRight, isRight || !answer ? text : `${text}\n      ${answer.status} ${answer.text.trim()}`);
};
const short = (value) => (value.length > 76 ? `${value.slice(0, 75)}…` : value);

// One request. `as` is how the line is printed, with names for addresses and tokens.
async function ask({ method = "GET", url, headers = {}, body, as }) {
  say(`  ${dim("$")} ${curl(method, as.url, as.headers ?? headers, as.body ?? body)}`);
  const answer = await fetch(url, { method, headers, body, redirect: "manual" });
  const text = await answer.text();
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: answer.status, headers: answer.headers, text, json };
}

function plinto(demo, args) {
  say(`  ${dim("$")} plinto ${args.join(" ")}`);
  const env = { ...demo.env, PLINTO_URL: demo.controlPlane, PLINTO_API_KEY: demo.apiKey, NO_COLOR: "1" };
  for (const name of ["PLINTO_DATABASE_URL", "PLINTO_LISTEN", "PLINTO_PUBLIC_URL"]) delete env[name];
  const ended = spawnSync(demo.cli, args, { env, cwd: demo.root, encoding: "utf8" });
  for (const line of ended.stdout.trimEnd().split("\n").filter(Boolean)) say(`    ${line}`);
  if (ended.status !== 0) say(`    ${ended.stderr.trim()}`);
  return ended;
}

const signIn = (demo, person) => {
  const body = { email: person.email, password: person.password, organization_id: demo.organization.id };
  return ask({
    method: "POST",
    url: `${demo.issuer}/v1/sign_in`,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    as: { url: "$ISSUER/v1/sign_in" },
  });
};

const through = (demo, method, path, person, extra = {}) => {
  const name = person?.name.toUpperCase();
  return ask({
    method,
    url: `${demo.edge}${path}`,
    headers: { ...(person ? { authorization: `Bearer ${person.token}` } : {}), ...extra },
    as: { url: `$EDGE${path}`, headers: { ...(person ? { authorization: `Bearer $${name}` } : {}), ...extra } },
  });
};

async function people(demo) {
  title("1. People sign up and sign in");
  for (const person of demo.people) {
    const body = JSON.stringify({ email: person.email, password: person.password });
    say(`  ${dim("$")} ${curl("POST", "$ISSUER/v1/sign_up", { "content-type": "application/json" }, body)}`);
    const text = person.isNew ? `signed up: ${person.id}` : "signed up in an earlier run (409 email_taken)";
    judge(Boolean(person.id), `${person.signUpStatus} ${person.name} ${text}`);
    const answer = await signIn(demo, person);
    person.token = answer.json?.access_token;
    person.session = answer.json?.session_id;
    judge(answer.status === 200 && Boolean(person.token), `${answer.status} ${person.name} has an access token, ${person.roles.at(-1)} in ${demo.organization.slug}`, answer);
  }
}

async function policy(demo) {
  title("2. A policy is tested, published and activated");
  const folder = "examples/policies/rbac-organizations";
  judge(plinto(demo, ["policy", "test", folder]).status === 0, "its tests pass, offline");
  judge(plinto(demo, ["policy", "publish", folder]).status === 0, "the control plane checked and stored it");
  const revision = JSON.parse(
    spawnSync(demo.cli, ["policy", "build", folder, "--output", "json", "--dry-run"], { encoding: "utf8", cwd: demo.root }).stdout || "{}",
  ).revision;
  judge(plinto(demo, ["policy", "activate", revision]).status === 0, "signed and in force");
}

// The edge asks for a newer bundle at most once a second.
async function settled(demo, person) {
  const deadline = Date.now() + 5000;
  for (;;) {
    const answer = await fetch(`${demo.edge}/documents/welcome`, { headers: { authorization: `Bearer ${person.token}` } });
    await answer.arrayBuffer();
    if (answer.status !== 403 && answer.status !== 503 || Date.now() > deadline) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function requests(demo) {
  const [ada, grace] = demo.people;
  title("3. Requests arrive at the edge");
  await settled(demo, ada);
  const nobody = await through(demo, "GET", "/documents/welcome");
  judge(nobody.status === 401, `${nobody.status} without a token: ${nobody.json?.code}`, nobody);
  const forged = await through(demo, "GET", "/documents/welcome", ada, { "x-plinto-subject": "user_somebody_else" });
  const seen = forged.json?.identity?.["x-plinto-subject"];
  judge(forged.status === 200 && seen === ada.id, `${forged.status} from the sample app, which sees x-plinto-subject: ${seen}`, forged);
  const reads = await through(demo, "GET", "/documents/welcome", grace);
  judge(reads.status === 200, `${reads.status} Grace may read`, reads);
  const writes = await through(demo, "PUT", "/documents/welcome", grace);
  judge(writes.status === 403 && writes.json?.reasons?.length > 0, `${writes.status} but not write: ${short(writes.json?.reasons?.join("; ") ?? "")}`, writes);
  const pretended = { "x-plinto-subject": ada.id ?? "" };
  const around = await ask({ url: `${demo.app}/documents/welcome`, headers: pretended, as: { url: "$APP/documents/welcome" } });
  judge(around.status === 403, `${around.status} round the edge: ${around.json?.error}`, around);
}

async function revocation(demo) {
  const [ada] = demo.people;
  title("4. A revoked session ends everywhere");
  const answer = await ask({
    method: "POST",
    url: `${demo.controlPlane}/v1/sessions/${ada.session}/revoke`,
    headers: { authorization: `Bearer ${demo.apiKey}` },
    as: { url: "$CP/v1/sessions/$ADA_SESSION/revoke", headers: { authorization: "Bearer $PLINTO_API_KEY" } },
  });
  judge(answer.status < 300, `${answer.status} the session is revoked`, answer);
  const began = Date.now();
  let refused;
  do {
    const answer = await fetch(`${demo.edge}/documents/welcome`, { headers: { authorization: `Bearer ${ada.token}` } });
    refused = { status: answer.status, text: await answer.text() };
  } while (refused.status !== 401 && Date.now() - began < 5000);
  const after = Date.now() - began;
  const last = await through(demo, "GET", "/documents/welcome", ada);
  judge(last.status === 401 && after <= 2000, `${last.status} ${last.json?.code}, ${after} ms later, with a token that has not expired`, last);
  const again = await signIn(demo, ada);
  ada.token = again.json?.access_token;
  ada.session = again.json?.session_id;
  judge(again.status === 200, `${again.status} Ada signs in again`, again);
}

export async function walk(demo) {
  wrong = 0;
  for (const part of [people, policy, requests, revocation]) await part(demo);
  return wrong;
}
