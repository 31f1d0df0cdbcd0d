// The picture: bands behind, then links, sessions, folds, commits, arrows, calls, marks, and what is wrong in front.

const WHOLE_MAX = 4000;
const LAYERS = ["lanes", "likely", "bands", "links", "sessions", "folds", "commits", "arrows", "calls", "marks", "wrong", "axis"];
const DRAW = { bands: drawBand, links: drawLink, sessions: drawSession, commits: drawCommit, arrows: drawArrow, calls: drawCall, marks: drawMark };
// What lasts is drawn in every lane that is shown, whatever a filter lets pass.
const LASTS = ["band", "link", "session"];

function drawPicture(pane) {
  const { svg, run, layout, columns, lit, passes } = pane;
  svg.attr("width", columns.width).attr("height", layout.height);
  svg.selectAll("g.layer").data(LAYERS).join("g").attr("class", layer => `layer ${layer}`);
  const [top, bottom] = seen(pane);
  const isDrawn = item => layout.yOf(item.to) >= top && layout.yOf(item.from) <= bottom &&
    (isKept(run, item, passes) || LASTS.includes(item.kind)) && !columns.lanes[item.of.lane]?.isHidden;
  const light = item => (lit ? (isLit(item, lit) ? "lit" : "dim") : "");
  drawLanes(pane);
  drawLikely(pane);
  for (const [kind, draw] of Object.entries(DRAW)) {
    svg.select(`g.${kind}`).selectAll("g.item").data(run.items[kind].filter(isDrawn), item => item.id)
      .join(enter => enter.append("g").attr("data-events", item => item.events.join(" ")))
      .attr("class", item => `item ${item.kind} ${light(item)}`)
      .each(function (item) { draw(d3.select(this), item, layout.yOf, columns.lanes, pane); });
  }
  drawFolds(pane, top, bottom);
  drawWrong(pane);
  drawAxis(pane, ...(pane.isWhole ? [top, bottom] : aroundSight(pane)));
}

const isKept = (run, item, passes) => !passes.isOn || item.events.some(event => run.has(event) && passes.event(event));

// From where to where is drawn: all of it, or what is in sight and as much again on either side.
const seen = pane => (pane.run.drawn <= WHOLE_MAX || pane.isWhole ? [-Infinity, Infinity] : aroundSight(pane));
const aroundSight = ({ scroller: { scrollTop, clientHeight } }) => [scrollTop - clientHeight, scrollTop + 2 * clientHeight];

// One element of a kind within another: there after the first time.
function part(parent, name, kind, attributes, text) {
  let found = parent.select(`.${kind.split(" ")[0]}`);
  if (found.empty()) found = parent.append(name);
  found.attr("class", kind);
  for (const key in attributes) found.attr(key, attributes[key]);
  if (text !== undefined) found.text(text);
}

const label = (parent, kind, x, y, text) => part(parent, "text", kind, { x, y }, text);
const upright = (x, y1, y2) => ({ x1: x, x2: x, y1, y2 });
const level = (y, x1, x2) => ({ x1, x2, y1: y, y2: y });
const tip = (parent, text) => part(parent, "title", "tip", {}, text);
const cross = (x, y, size = 5) => `M${x - size} ${y - size}l${2 * size} ${2 * size}m0 ${-2 * size}l${-2 * size} ${2 * size}`;

function drawLanes({ svg, layout, columns }) {
  const lines = columns.lanes.filter(lane => !lane.isHidden).flatMap(lane => [[lane.x, "edge"], ...(lane.kind === "world" ? [] : [[lane.rail ?? lane.wire, "rail"]])]);
  svg.select("g.lanes").selectAll("line").data(lines).join("line").attr("class", ([, kind]) => kind)
    .attr("x1", ([x]) => x).attr("x2", ([x]) => x).attr("y1", 0).attr("y2", layout.height);
}

function drawBand(group, { of, from, to }, yOf, lanes) {
  const [{ x, width }, top, bottom] = [lanes[of.lane], yOf(from), yOf(to)];
  part(group, "rect", `area ${of.word}`, { x: x + 1, y: top, width: width - 2, height: Math.max(2, bottom - top) });
  label(group, "said", x + width - 5, top + 10, of.said);
}

function drawLink(group, { of, from, to }, yOf, lanes) {
  const { link } = lanes[of.lane];
  const up = yOf(of.up ?? to);
  part(group, "line", "asked", upright(link, yOf(from), up));
  if (of.up !== null) part(group, "line", "up", upright(link, up, yOf(to)));
}

function drawSession(group, { of, from, to }, yOf, lanes) {
  const x = lanes[of.lane].bar + of.track * 10;
  const [top, bottom] = [yOf(from), yOf(to)];
  part(group, "rect", `bar e${(of.epoch || of.from) % 8}`, { x, y: top, width: 8, height: Math.max(3, bottom - top), rx: 2 });
  label(group, "said", x + 12, top + 10, `${shortened(of.user, 9)} ${of.epoch || ""}`);
  if (of.reason) {
    label(group, "reason", x + 12, bottom - 3, bottom - top > 26 ? of.reason : "");
    part(group, "line", "end", level(bottom, x - 3, x + 11));
  }
  tip(group, `${of.user} ${of.epoch || ""}${of.reason ? `: ${of.reason}` : ""}`);
}

function drawFolds({ svg, layout, columns: { left, width } }, top, bottom) {
  const folds = layout.folds.filter(fold => fold.to >= top && fold.from <= bottom);
  svg.select("g.folds").selectAll("g.fold").data(folds, fold => fold.id).join("g").attr("class", "fold")
    .each(function ({ from, to, span, events }) {
      const middle = (from + to) / 2;
      const fold = d3.select(this);
      part(fold, "rect", "gap", { x: left, y: middle - 8, width: width - left, height: 16 });
      label(fold, "said", left + 8, middle + 4, `${seconds(span, 1)} s ${events ? `with ${plural(events, "event")} not shown` : "nothing"}`);
    });
}

const plural = (count, noun) => `${many(count)} ${noun}${count === 1 ? "" : "s"}`;

function drawCommit(group, { of }, yOf, lanes, pane) {
  const x = lanes[1].bar;
  const top = yOf(of.decided);
  const end = of.disk ?? of.undone;
  const bottom = end === null ? top : Math.max(top + 7, yOf(end));
  part(group, "line", "join", { x1: x, x2: x + 12, y1: top, y2: bottom });
  part(group, "circle", "decided", { cx: x, cy: top, r: 4 });
  if (of.disk !== null) part(group, "rect", "disk", { x: x + 9, y: bottom - 3, width: 6, height: 6 });
  if (of.undone !== null) part(group, "path", "cross", { d: cross(x + 12, bottom) });
  label(group, "said", x - 8, top + 4, pane.isRow(of.decided) ? of.commit : "");
}

function drawArrow(group, { of, from }, yOf, lanes, pane) {
  const [start, target] = [lanes[of.from_lane], lanes[of.to_lane]];
  const isUp = start.kind === "device";
  const [x1, y1] = [start.wire, yOf(from)];
  let [x2, y2] = [target ? target.wire : x1 + 24, of.to === null ? y1 + 9 : yOf(of.to)];
  if (of.end !== "arrived") x2 = x1 + (x2 - x1) * 0.55;
  const angle = Math.atan2(y2 - y1, x2 - x1);
  const barb = turn => `M${x2} ${y2}L${x2 - 7 * Math.cos(angle + turn)} ${y2 - 7 * Math.sin(angle + turn)}`;
  const isRow = pane.isRow(from);
  group.classed("minor", !isRow).classed(of.end, true);
  const line = `M${x1} ${y1}L${x2} ${y2}`;
  part(group, "path", "grip", { d: line });
  part(group, "path", "way", { d: of.end === "lost" ? line : line + barb(0.4) + barb(-0.4) });
  if (of.end === "lost") part(group, "path", "cross", { d: cross(x2, y2) });
  label(group, "said", x1 - 5, y1 + (isUp ? -3 : 4), isRow ? of.word.replaceAll("_", " ") : "");
  tip(group, `${pane.run.who(from)}  ${pane.run.what(from)}`);
}

function drawCall(group, { of, from, to }, yOf, lanes) {
  const x = lanes[of.lane].rail + 1 + of.track * 5;
  const [top, bottom] = [yOf(from), Math.max(yOf(from) + 3, yOf(to))];
  const isOpen = of.outcome === null;
  group.classed("failed", !isOpen && of.outcome !== "ok").classed("open", isOpen);
  part(group, "path", "bracket", { d: `M${x} ${top}h5V${bottom}${isOpen ? "" : "h-5"}` });
  label(group, "said", x + 8, top + 4, shortened(of.word, 8));
  label(group, "outcome", x + 8, bottom + 4, bottom - top > 11 ? of.outcome ?? "" : "");
  tip(group, `${of.word} ${of.call || ""}: ${of.outcome ?? "no result"}`);
}

function drawMark(group, { of }, yOf, lanes, pane) {
  const [lane, y] = [lanes[of.lane], yOf(of.event)];
  const [what, isRow] = [pane.run.what(of.event), pane.isRow(of.event)];
  group.classed("minor", !isRow).classed(of.look, true);
  tip(group, `${pane.run.who(of.event)}  ${what}`);
  if (of.look === "told") {
    part(group, "path", "sign", { d: `M${lane.rail - 8} ${y - 3.5}l8 3.5l-8 3.5z` });
    label(group, "said", lane.rail + 5, y + 4, isRow ? shortened(what.split(" ")[0].replaceAll("_", " "), 9) : "");
  } else if (lane.kind === "device") {
    part(group, "circle", "sign", { cx: of.look === "status" ? lane.rail - 4 : lane.link, cy: y, r: isRow ? 3 : 1.8 });
  } else {
    const x = lane.x + 10;
    part(group, "path", "sign", { d: `M${x} ${y - 4}l4 4l-4 4l-4 -4z` });
    const said = lane.kind === "world" && isRow && lane.width > 40 ? shortened(what.replace(/^(fault|effect) /, ""), 17) : "";
    label(group, "said", x + 8, y + 4, said);
  }
}

// What is wrong, and where two runs part: lines across.
function drawWrong({ svg, run, layout, columns, differs }) {
  // What is wrong at one place has one line.
  const rules = d3.group(run.wrong, ({ event, at_us: at }) => (run.at(event) === at ? layout.yOf(event) : layout.yAt(at)));
  const lines = [...rules].map(([y, some]) => ({ kind: "violation", y, text: [...new Set(some.map(it => it.rule ?? "missed"))].join(" ") }));
  if (run.has(differs)) lines.push({ kind: "parts", text: "parts", y: layout.yOf(differs) });
  svg.select("g.wrong").selectAll("g.across").data(lines).join("g").attr("class", line => `across ${line.kind}`)
    .each(function ({ kind, y, text }) {
      part(d3.select(this), "line", "line", level(y, columns.left, columns.width));
      label(d3.select(this), "said", kind === "parts" ? columns.left + 70 : 3, y - 4, text);
    });
}

// The time of rows that are not too near to each other; true to scale, round ones.
function drawAxis({ svg, layout, entries }, top, bottom) {
  const ticks = new Map();
  if (layout.line) {
    const [from, to] = [Math.max(top, 0), Math.min(bottom, layout.height)];
    const inSight = layout.line.copy().domain([from, to].map(layout.line.invert));
    inSight.ticks(Math.min(400, Math.max(2, (to - from) / 60))).forEach(at => ticks.set(layout.line(at), at));
  } else {
    let last = -Infinity;
    for (const { at, y } of entries) {
      if (y < top || y > bottom || y - last < 34) continue;
      ticks.set(y, at);
      last = y;
    }
  }
  const heights = [...ticks.keys()];
  const axis = d3.axisRight(d3.scaleLinear([0, 1], [0, 1])).tickValues(heights).tickFormat(y => seconds(ticks.get(y)));
  svg.select("g.axis").call(axis.tickSize(4));
}
