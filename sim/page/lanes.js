// Where each lane is, from left to right, and the row of names above them.

const AXIS = 58;
const HEAD = 42;
const WIDTHS = { world: 112, server: 168, device: [158, 230] };
const NARROW = { world: 24, server: 160, device: [142, 230] };

// A filter leaves out the devices that nothing of what passes touches.
function lanesOf(run, width, passes) {
  const touched = new Set();
  const items = passes.isOn ? Object.values(run.items).flat().filter(item => isKept(run, item, passes)) : [];
  for (const { of } of items) [of.lane, of.from_lane, of.to_lane].forEach(lane => touched.add(lane));
  const isShown = (lane, index) => lane.kind !== "device" || !passes.isOn || touched.has(index);
  const devices = run.sheet.lanes.filter((lane, index) => lane.kind === "device" && isShown(lane, index)).length;
  const widths = state.panes.length > 1 ? NARROW : WIDTHS;
  const left = AXIS + (run.head.likely ? LIKELY : 0);
  // A device has two widths, which are no number: the sum passes over it.
  const rest = width - left - 8 - d3.sum(run.sheet.lanes, lane => widths[lane.kind]);
  const [least, most] = widths.device;
  const wide = Math.max(least, Math.min(most, rest / Math.max(1, devices)));
  let x = left;
  const lanes = run.sheet.lanes.map((lane, index) => {
    if (!isShown(lane, index)) return { ...lane, x, width: 0, isHidden: true };
    const own = lane.kind === "device" ? wide : widths[lane.kind];
    const at = { ...lane, x, width: own };
    // A device's link, its sessions from there on, and its application at the right.
    if (lane.kind === "device") Object.assign(at, { link: x + 40, bar: x + 48, rail: x + own - 54, wire: x + 40 });
    else if (lane.kind === "server") Object.assign(at, { bar: x + 50, wire: x + own - 4 });
    else Object.assign(at, { bar: x + 10, wire: x + own });
    x += own;
    return at;
  });
  return { lanes, left, width: Math.max(width, x + 8) };
}

function drawLaneNames(svg, { lanes, left, width }) {
  svg.attr("width", width).attr("height", HEAD);
  const fits = (lane, letter) => Math.floor(((lane.rail ?? lane.x + lane.width) - lane.x - 12) / letter);
  svg.selectAll("g.name").data(lanes.filter(lane => !lane.isHidden)).join("g").attr("class", lane => `name ${lane.kind}`)
    .attr("transform", lane => `translate(${lane.x},0)`)
    .each(function (lane) {
      const name = d3.select(this);
      const called = lane.width > 40 ? lane.name : "";
      label(name, "who", 8, 18, shortened(called, fits(lane, 5.5)));
      label(name, "what", 8, 33, shortened(lane.what, fits(lane, 6)));
      if (lane.rail) label(name, "app what", lane.rail - lane.x, 33, "app");
      tip(name, called);
    });
  if (left > AXIS) label(svg, "fails what", AXIS, 33, "fails");
}

const shortened = (text, letters) => (text.length > letters ? `${text.slice(0, Math.max(1, letters - 1))}…` : text);
