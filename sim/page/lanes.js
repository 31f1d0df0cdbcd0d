// Where each lane is, from left to right, and the row of names above them.

const AXIS = 58;
const HEAD = 42;
const WIDTHS = { world: 104, server: 96, device: [122, 210] };

function lanesOf(run, width) {
  const devices = run.sheet.lanes.filter(lane => lane.kind === "device").length;
  const rest = width - AXIS - WIDTHS.world - WIDTHS.server - 8;
  const [least, most] = WIDTHS.device;
  const wide = Math.max(least, Math.min(most, rest / Math.max(1, devices)));
  let x = AXIS;
  const lanes = run.sheet.lanes.map(lane => {
    const own = lane.kind === "device" ? wide : WIDTHS[lane.kind];
    const at = { ...lane, x, width: own };
    // A device's link, its sessions from there on, and its application at the right.
    if (lane.kind === "device") Object.assign(at, { link: x + 22, bar: x + 30, rail: x + own - 54, wire: x + 22 });
    else if (lane.kind === "server") Object.assign(at, { bar: x + 48, wire: x + own - 10 });
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
  const label = lane => (lane.kind === "world" ? "script" : lane.name);
  const fits = lane => Math.floor((lane.width - 14) / 7.2);
  names.selectAll("text.who").data(lane => [lane]).join("text").attr("class", "who").attr("x", 8).attr("y", 18)
    .text(lane => shortened(label(lane), fits(lane))).append("title").text(label);
  names.selectAll("text.what").data(lane => [lane]).join("text").attr("class", "what").attr("x", 8).attr("y", 33)
    .text(lane => shortened([lane.site && `@${lane.site}`, lane.platform].filter(Boolean).join(" "), fits(lane) + 3));
  names.filter(lane => lane.kind === "device").selectAll("text.app").data(lane => [lane]).join("text")
    .attr("class", "what app").attr("x", lane => lane.rail - lane.x).attr("y", 33).text("app");
}

const shortened = (text, letters) => (text.length > letters ? `${text.slice(0, Math.max(1, letters - 1))}…` : text);
