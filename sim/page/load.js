// What the page holds, inflated, and runs as the other scripts see them: positions are those of the whole trace, from 0.

const byId = id => document.getElementById(id);
const many = number => number.toLocaleString("en");

async function load() {
  const text = byId("data").textContent.trim();
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let index = 0; index < bytes.length; index++) bytes[index] = letters.charCodeAt(index);
  const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(inflated).text());
}

// A row of the file is an array: microseconds, lane, kind, who, what, how the story tells it, what it is part of.
function runOf({ head, sheet }) {
  const { rows, first } = sheet;
  const end = first + rows.length;
  const clamp = position => Math.max(first, Math.min(end - 1, position));
  const row = position => rows[clamp(position) - first];
  const run = {
    head, sheet, first, end, clamp,
    at: position => row(position)[0],
    lane: position => row(position)[1],
    kind: position => sheet.kinds[row(position)[2]],
    who: position => row(position)[3],
    what: position => row(position)[4],
    told: position => row(position)[5],
    ties: position => row(position)[6],
    has: position => typeof position === "number" && position >= first && position < end,
  };
  run.begins = rows.length ? run.at(first) : 0;
  run.ends = rows.length ? run.at(end - 1) : 0;
  run.tied = tiedEvents(run);
  // What is wrong, once at each event that is to blame.
  run.wrong = head.wrong.flatMap(it => [it, ...it.also.map(event => ({ ...it, event, at_us: run.at(event) }))]).filter(it => run.has(it.event));
  run.items = itemsOf(run);
  run.drawn = d3.sum(Object.values(run.items), items => items.length);
  return run;
}

// By number of what events are part of: those events.
function tiedEvents(run) {
  const tied = new Map();
  for (let position = run.first; position < run.end; position++) {
    for (const tie of run.ties(position)) {
      if (!tied.has(tie)) tied.set(tie, []);
      tied.get(tie).push(position);
    }
  }
  return tied;
}

// Everything that is drawn: its kind, the events that it stands for, and where it begins and ends.
function itemsOf({ sheet, first, end }) {
  const last = end - 1;
  const open = to => (to === null || to > last ? last : to);
  let id = 0;
  const item = (kind, of, from, to, events) => ({ kind, of, from: Math.max(first, from), to, events, id: id++ });
  const some = (...events) => events.filter(event => event !== null && event !== undefined);
  return {
    bands: sheet.bands.map(it => item("band", it, it.from, open(it.to), some(it.from, it.to))),
    links: sheet.links.map(it => item("link", it, it.from, open(it.to), some(it.from, it.up, it.to))),
    sessions: sheet.sessions.map(it => item("session", it, it.from, open(it.to), some(it.from, it.to))),
    commits: sheet.commits.map(it => item("commit", it, it.decided, open(it.disk ?? it.undone), some(it.decided, it.disk))),
    arrows: sheet.arrows.map(it => item("arrow", it, it.from, open(it.to ?? it.from), some(it.from, it.to))),
    calls: sheet.calls.map(it => item("call", it, it.from, open(it.to), some(it.from, it.to))),
    marks: sheet.marks.map(it => item("mark", it, it.event, it.event, [it.event])),
  };
}
