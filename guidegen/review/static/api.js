// Talks to the server of this page: the token, the name, JSON, surfaces and slices.

const TOKEN = "guidegen_token";
const NAME = "guidegen_name";

/** An answer that is no success: the server's sentence and its status (0: no answer at all). */
export class Refused extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

/** Take the token out of the address, so that it is in no history, bookmark or picture. */
function takeToken() {
  const query = new URLSearchParams(window.location.search);
  const given = query.get("token");
  if (given) {
    window.sessionStorage.setItem(TOKEN, given);
    query.delete("token");
    const rest = query.toString();
    window.history.replaceState(null, "", window.location.pathname + (rest ? `?${rest}` : ""));
  }
  return given ?? window.sessionStorage.getItem(TOKEN) ?? "";
}

const token = takeToken();

export const userName = () => window.sessionStorage.getItem(NAME) ?? "";
export const keepUserName = (name) => window.sessionStorage.setItem(NAME, name.trim());

async function ask(path, options = {}) {
  const headers = { ...options.headers, "X-Guidegen-Token": token };
  let answer;
  try {
    answer = await fetch(path, { ...options, headers, cache: "no-store" });
  } catch {
    throw new Refused(0, "the program does not answer: it was stopped or closed; start it again");
  }
  if (!answer.ok) throw new Refused(answer.status, await sentence(answer));
  return answer;
}

async function sentence(answer) {
  try {
    return (await answer.json()).error ?? `the answer was ${answer.status}`;
  } catch {
    return `the answer was ${answer.status}`;
  }
}

export async function getJson(path) {
  return (await ask(path)).json();
}

export async function postJson(path, body) {
  const answer = await ask(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ by: userName(), ...body }),
  });
  return answer.json();
}

/** A picture as an address that an <img> can show. */
export async function getPicture(path) {
  return URL.createObjectURL(await (await ask(path)).blob());
}

/** A surface: corners (LPS mm) and triangles. */
export async function getMesh(path) {
  const buffer = await (await ask(path)).arrayBuffer();
  const [corners, triangles] = new Uint32Array(buffer, 0, 2);
  return {
    positions: new Float32Array(buffer, 8, corners * 3),
    indices: new Uint32Array(buffer, 8 + corners * 12, triangles * 3),
  };
}

/** A slice on a plane: HU row by row, outlines in pixels, and the patient's sides. */
export async function getSlice(frame) {
  const vector = (v) => v.map((x) => x.toFixed(5)).join(",");
  const query =
    `centre=${vector(frame.centre)}&right=${vector(frame.right)}` +
    `&down=${vector(frame.down)}&w=${frame.w}&h=${frame.h}&step=${frame.step.toFixed(5)}`;
  const buffer = await (await ask(`/api/slice?${query}`)).arrayBuffer();
  const size = new DataView(buffer).getUint32(0, true);
  const told = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
  return { ...frame, ...told, hu: new Int16Array(buffer, 4 + size, frame.w * frame.h) };
}
