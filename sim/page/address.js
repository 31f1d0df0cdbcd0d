// The address says what is looked at: `#e=57` the 57th event, `#e=2:57` that of the second run, `#t=2.0-2.2` a span of seconds.

function addressOf(hash) {
  const event = hash.match(/^#e=(?:(\d):)?(\d+)$/);
  if (event) return { pane: Number(event[1] ?? 1) - 1, position: Number(event[2]) - 1 };
  const span = hash.match(/^#t=(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/);
  return span ? { from: Number(span[1]) * 1e6, to: Number(span[2]) * 1e6 } : null;
}

function writeAddress(pane, position, panes) {
  const which = panes.length > 1 ? `${pane.index + 1}:` : "";
  const hash = position === null ? "#" : `#e=${which}${position + 1}`;
  try {
    history.replaceState(null, "", hash);
  } catch {
    // A file in a frame has no history.
  }
}

// Whether the address led anywhere.
function followAddress(panes) {
  const address = addressOf(location.hash);
  if (!address) return false;
  if (address.position !== undefined) {
    const pane = panes[address.pane];
    if (!pane?.run.has(address.position)) return false;
    state.pane = pane;
    pane.go(address.position);
    return true;
  }
  state.setFolded(false);
  panes.forEach(pane => pane.showTime(address.from, address.to));
  return true;
}
