// The demonstration's tenant, people, organization and roles. Made once, found again later.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { lastLine } from "./processes.mjs";
import { Stop } from "./say.mjs";

const people = [
  { name: "Ada", email: "ada@example.com", password: "correct horse battery staple", roles: ["owner", "editor"] },
  { name: "Grace", email: "grace@example.com", password: "compilers came before lunch in 1952", roles: ["reader"] },
];
const roles = [
  { key: "reader", name: "Reader", description: "Reads documents.", permissions: ["document:read"] },
  { key: "editor", name: "Editor", description: "Reads and writes documents.", permissions: ["document:read", "document:write"] },
];

// Makes the tenant on a new database; on a known one brings it up to date and reads what was kept.
export function bootstrap(demo) {
  const kept = path.join(demo.folder, "demo.json");
  const { anew } = demo;
  const server = (args) => {
    const ended = spawnSync(demo.server, args, { env: demo.env, cwd: demo.folder, encoding: "utf8" });
    if (ended.status !== 0) throw new Stop(`${lastLine(ended.stderr ?? "").replace(/^plinto-control-plane: /, "")}; ${anew}`);
    return ended.stdout;
  };
  if (existsSync(demo.database)) {
    if (!existsSync(kept)) throw new Stop(`${demo.database} is not this demonstration's database; ${anew}`);
    server(["migrate"]);
  } else {
    writeFileSync(kept, server(["bootstrap", "--tenant", demo.slug, "--audience", demo.audience]), { mode: 0o600 });
  }
  const answer = read(kept);
  if (!answer?.tenant || !answer.issuer || !answer.api_key) throw new Stop(`${kept} is damaged; ${anew}`);
  demo.tenant = answer.tenant;
  demo.issuer = answer.issuer;
  demo.apiKey = answer.api_key;
  if (!demo.issuer.startsWith(`${demo.controlPlane}/`)) {
    throw new Stop(`the demonstration was made for ${demo.issuer}; set PLINTO_RUN_CONTROL_PLANE_PORT to its port; or ${anew}`);
  }
  demo.people = people;
}

// What a file of JSON says, if it does.
function read(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

// `accepted`: codes of problems that mean that an earlier run has done it.
async function post(url, body, key, accepted) {
  const headers = { "content-type": "application/json", ...(key ? { authorization: `Bearer ${key}` } : {}) };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await answer.text();
  const json = text ? JSON.parse(text) : {};
  if (!answer.ok && !accepted.includes(json.code)) throw new Stop(`seeding: POST ${url} answered ${answer.status}: ${text}`);
  return { status: answer.status, body: json };
}

async function get(url, key) {
  const answer = await fetch(url, { headers: { authorization: `Bearer ${key}` } });
  if (!answer.ok) throw new Stop(`seeding: GET ${url} answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

// Signs the people up, makes the organization and the roles, and puts the people in.
export async function seed(demo) {
  const api = `${demo.controlPlane}/v1`;
  for (const person of demo.people) {
    const { status, body } = await post(`${demo.issuer}/v1/sign_up`, { email: person.email, password: person.password }, undefined, ["email_taken"]);
    person.isNew = status !== 409;
    person.signUpStatus = status;
    person.id = body.user?.id;
  }
  for (const role of roles) await post(`${api}/roles`, role, demo.apiKey, ["role_key_taken"]);
  const organizations = (await get(`${api}/organizations`, demo.apiKey)).data;
  let organization = organizations.find((one) => one.slug === "acme");
  organization ??= (await post(`${api}/organizations`, { slug: "acme", name: "Acme" }, demo.apiKey, [])).body;
  demo.organization = organization;
  for (const person of demo.people) {
    person.id ??= (await get(`${api}/users?email=${encodeURIComponent(person.email)}`, demo.apiKey)).data[0]?.id;
    const member = { user_id: person.id, roles: person.roles };
    await post(`${api}/organizations/${organization.id}/members`, member, demo.apiKey, ["already_member"]);
  }
}
