// Beside the time: how likely the failure was after each step that was looked at, until the next one.

const LIKELY = 44;

function drawLikely({ svg, run, layout }) {
  const { likely } = run.head;
  if (!likely) return;
  const layer = svg.select("g.likely");
  const points = likely.points.map(([kept, at, failed]) => ({ kept, failed, x: AXIS + (failed / likely.draws) * (LIKELY - 6), y: kept ? layout.yAt(at) : 0 }));
  const steps = points.map(({ x, y }) => `V${y}H${x}`).join("");
  part(layer, "path", "area", { d: `M${AXIS} 0${steps}V${layout.height}H${AXIS}z` });
  layer.selectAll("circle").data(points).join("circle").attr("r", 3).attr("cx", ({ x }) => x).attr("cy", ({ y }) => y)
    .each(function ({ kept, failed }) { tip(d3.select(this), `${plural(kept, "step")} kept: ${failed} of ${likely.draws} fail`); });
}
