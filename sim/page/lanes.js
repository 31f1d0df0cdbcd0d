// Where each lane is, from left to right, and the row of names above them.

const AXIS = 58;
const HEAD = 42;
const WIDTHS = { world: 112, server: 158, device: [158, 230] };
const NARROW = { world: 24, server: 122, device: [142, 230] };

function lanesOf(run, width) {
  const devices = run.sheet.lanes.filter(lane => lane.kind === "device").length;
  const widths = state.panes.length > 1 ? NARROW : WIDTHS;
  const rest = width - AXIS - widths.world - widths.server - 8;
  const [least, most] = widths.device;
  const wide = Math.max(least, Math.min(most, rest / Math.max(1, devices)));
  let x = AXIS;
  const lanes = run.sheet.lanes.map(lane => {
    const own = lane.kind === "device" ? wide : widths[lane.kind];
    const at = { ...lane, x, width: own };
    // A device's link, its sessions from there on, and its application at the right.
    if (lane.kind === "device") Object.assign(at, { link: x + 40, bar: x + 48, rail: x + own - 54, wire: x + 40 });
    else if (lane.kind === "server") Object.assign(at, { bar: x + 38, wire: x + own - 4 });
    else Object.assign(at, { bar: x + 10, wire: x + own });
    x += own;
    return at;
  });
  return { lanes, width: Math.max(width, x + 8) };
}

function drawLaneNames(svg, { lanes, width }) {
  svg.attr("width", width).attr("height", HEAD);
  const names = svg.selectAll("g.name").data(lanes).join("g").attr("class", lane => `name ${lane.kind}`);
  names.attr("transform", lane => `translate(${lane.x},0)`);
  const called = lane => (lane.kind !== "world" ? lane.name : lane.width > 40 ? "script" : "");
  const fits = (lane, letter) => Math.floor(((lane.rail ?? lane.x + lane.width) - lane.x - 12) / letter);
  names.selectAll("text.who").data(lane => [lane]).join("text").attr("class", "who").attr("x", 8).attr("y", 18)
    .text(lane => shortened(called(lane), fits(lane, 5.5))).append("title").text(called);
  names.selectAll("text.what").data(lane => [lane]).join("text").attr("class", "what").attr("x", 8).attr("y", 33)
    .text(lane => shortened([lane.site && `@${lane.site}`, lane.platform].filter(Boolean).join(" "), fits(lane, 6)));
  names.filter(lane => lane.kind === "device").selectAll("text.app").data(lane => [lane]).join("text")
    .attr("class", "what app").attr("x", lane => lane.rail - lane.x).attr("y", 33).text("app");
}

const shortened = (text, letters) => (text.length > letters ? `${text.slice(0, Math.max(1, letters - 1))}…` : text);
