// What belongs to an event: whatever is part of the same call, attempt, session, commit, write, fault or frame. A commit is
// part of what its facts are part of.

function causeOf(run, position) {
  const lit = new Set([position]);
  for (const tie of [position, ...factsOf(run, position)].flatMap(run.ties)) {
    for (const other of run.tied.get(tie) ?? []) lit.add(other);
  }
  // A story tells facts in the line of their commit.
  for (const one of [...lit]) {
    let commit = one;
    while (run.has(commit) && run.kind(commit) === "fact") commit--;
    if (run.has(commit)) lit.add(commit);
  }
  return lit;
}

// The facts of a commit, which follow it.
function factsOf(run, commit) {
  let end = commit + 1;
  while (run.kind(commit) === "commit" && run.has(end) && run.kind(end) === "fact") end++;
  return d3.range(commit + 1, end);
}

// The events that show what is wrong.
const wrongOf = run => run.wrong.map(it => it.event);

const isLit = (item, lit) => item.events.some(event => lit.has(event));

// The row that stands for an event where it has none of its own: the last one before it.
function rowFor(entries, position) {
  let found = null;
  for (const entry of entries) {
    if (entry.key > position) break;
    if (entry.position !== undefined) found = entry.position;
  }
  return found ?? entries.find(entry => entry.position !== undefined)?.position ?? null;
}
