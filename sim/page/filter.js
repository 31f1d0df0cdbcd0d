// Which events pass what was typed: every word of it, or `device:`, `user:`, `kind:`, `rule:` and what stands behind.

function filterOf(run, typed) {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return { event: () => true, log: () => true, isOn: false };
  const tests = words.map(word => testOf(run, word));
  return {
    isOn: true,
    event: position => tests.every(test => test(position)),
    log: ([, who, what]) => words.every(word => `${who} ${what}`.toLowerCase().includes(word)),
  };
}

function testOf(run, word) {
  const [, key, value] = word.match(/^(device|user|kind|rule):(.*)$/) ?? [];
  const has = text => text.toLowerCase().split(/[^\p{L}\p{N}_.@-]+/u).includes(value);
  const said = position => `${run.who(position)} ${run.what(position)} ${run.told(position) ?? ""}`;
  switch (key) {
    case "device":
    case "user":
      return position => has(said(position));
    case "kind":
      return position => run.kind(position) === value || run.what(position).trim().startsWith(value.replaceAll("_", " "))
        || run.what(position).split(" ", 1)[0] === value;
    case "rule": {
      const events = run.wrong.filter(wrong => wrong.rule?.toLowerCase() === value);
      const lit = new Set(events.flatMap(wrong => [...causeOf(run, wrong.event)]));
      return position => lit.has(position);
    }
    default:
      return position => `${said(position)} ${run.kind(position)}`.toLowerCase().includes(word);
  }
}
