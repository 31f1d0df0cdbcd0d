// From events to heights. Folded, each row of the text has its height and the time between two rows is told by how far
// they are apart, as a logarithm; true to scale, a second is as long as another.

const ROW = 20;
const TOP = 12;
const FOLD_US = 2_000_000;
const TRUE_HEIGHT_MAX = 6_000_000;

// How far apart are two things with so much time between them.
const stretch = micros => 10 * Math.log2(1 + micros / 10_000);

// What the text shows: events by position, and lines of the log, which stand before one.
function entriesOf(run, view, passes) {
  const entries = [];
  const log = view === "logs" ? run.sheet.log : [];
  let next = 0;
  const logUntil = position => {
    for (; next < log.length && log[next][3] <= position; next++) {
      if (passes.log(log[next])) entries.push({ key: log[next][3] - 0.5, at: log[next][0], log: log[next] });
    }
  };
  for (let position = run.first; position < run.end; position++) {
    logUntil(position);
    const isShown = view === "everything" || run.told(position) !== null;
    if (isShown && passes.event(position)) entries.push({ key: position, at: run.at(position), position });
  }
  logUntil(run.end);
  return entries;
}

function layoutOf(run, entries, { folded, zoom, height }) {
  const scale = folded ? foldedScale(run, entries, zoom) : trueScale(run, zoom, height);
  const { y } = scale;
  const bottom = scale.height;
  return {
    ...scale,
    folded,
    yOf: position => y[run.clamp(position) - run.first] ?? TOP,
    yAt: micros => {
      const above = lastAt(run, micros);
      if (above < 0) return TOP;
      const [from, to] = [run.first + above, run.first + above + 1];
      if (to >= run.end) return y[above];
      const span = run.at(to) - run.at(from);
      return y[above] + (span ? (micros - run.at(from)) / span : 0) * (y[above + 1] - y[above]);
    },
    timeAt: height => {
      const index = d3.bisectLeft(y, height);
      if (index <= 0) return run.begins;
      if (index >= y.length) return height >= bottom ? run.ends : run.at(run.end - 1);
      const span = y[index] - y[index - 1];
      const [from, to] = [run.at(run.first + index - 1), run.at(run.first + index)];
      return from + (span ? (height - y[index - 1]) / span : 0) * (to - from);
    },
  };
}

// The index of the last event until then.
function lastAt(run, micros) {
  let [low, high] = [0, run.end - run.first];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (run.at(run.first + middle) <= micros) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function foldedScale(run, entries, zoom) {
  const count = run.end - run.first;
  const y = new Float64Array(count);
  const folds = [];
  let height = TOP;
  entries.forEach((entry, index) => {
    const before = entries[index - 1];
    const span = before ? entry.at - before.at : 0;
    height += before ? ROW + Math.min(stretch(span), stretch(FOLD_US)) * 0.6 * zoom : ROW / 2;
    if (span >= FOLD_US) {
      const events = Math.max(0, Math.ceil(entry.key) - Math.floor(before.key) - 1);
      folds.push({ from: before.y, to: height, span, events, id: entry.key });
    }
    entry.y = height;
  });
  // What has no row of its own is between the rows around it, nearer to the one that is nearer in time.
  let next = 0;
  for (let index = 0; index < count; index++) {
    const position = run.first + index;
    while (next < entries.length && entries[next].key < position) next++;
    const [above, below] = [entries[next - 1], entries[next]];
    if (below && below.key === position) y[index] = below.y;
    else if (!above || !below) y[index] = above ? above.y + Math.min(ROW, stretch(run.at(position) - above.at)) : TOP;
    else {
      const [since, until] = [stretch(run.at(position) - above.at), stretch(below.at - run.at(position))];
      y[index] = above.y + (since ? since / (since + until) : 0) * (below.y - above.y);
    }
  }
  return { y, folds, height: height + 3 * ROW };
}

function trueScale(run, zoom, paneHeight) {
  const height = Math.min(TRUE_HEIGHT_MAX, Math.max(200, paneHeight) * zoom);
  const line = d3.scaleLinear([run.begins, Math.max(run.ends, run.begins + 1)], [TOP, height - 2 * ROW]);
  const y = Float64Array.from({ length: run.end - run.first }, (_, index) => line(run.at(run.first + index)));
  return { y, folds: [], height, line };
}

const seconds = (micros, digits = 3) => (micros / 1e6).toFixed(digits);
