// What stands above the picture: the verdict, what is wrong, and how to see it again.

function drawHead(sides) {
  const header = d3.select("#head");
  for (const { head, sheet } of sides) drawOne(header.append("section").attr("class", "side"), head, sheet);
}

function drawOne(section, head, sheet) {
  const title = section.append("h1");
  title.append("span").attr("class", `verdict ${["passed", "holds"].includes(head.verdict) ? "good" : "bad"}`).text(head.verdict.replaceAll("_", " "));
  title.append("span").text(head.title);
  head.wrong.forEach((wrong, index) => drawOneWrong(section, wrong, index, head.wrong.length));
  if (head.likely) section.append("p").attr("class", "likely").text(head.likely.said);
  if (head.more) section.append("p").text(`and ${head.more} more`);
  const { world, path: from, seed, version, digest } = head;
  const facts = section.append("p").attr("class", "facts");
  // What a history does not have is not named.
  for (const [name, value] of Object.entries({ world, from, seed, version, digest, events: many(sheet.events_all) })) {
    if (!value) continue;
    const one = facts.append("span");
    one.append("b").text(name);
    one.append("span").text(value);
  }
  const buttons = section.append("p").attr("class", "buttons");
  copyButton(buttons, "copy command", head.replay);
  copyButton(buttons, "copy scenario", head.scenario);
  if (sheet.ledger) {
    const [from, to] = [sheet.first + 1, sheet.first + sheet.rows.length].map(many);
    section.append("p").attr("class", "window")
      .text(`This page shows events ${from} to ${to} of ${many(sheet.events_all)}: the ledger counts them all.`);
    folding(section, "ledger", sheet.ledger);
  }
  for (const [name, rules] of head.answers) folding(section, name, rules);
  folding(section, "steps", head.steps.join("\n"));
  folding(section, "scenario", head.scenario);
  folding(section, "rules", head.rules.map(rule => rule.join("  ")).join("\n"));
}

function drawOneWrong(section, wrong, index, count) {
  const box = section.append(index ? "details" : "div").attr("class", "wrong");
  const name = box.append(index ? "summary" : "h2").text(wrong.what);
  if (count > 1 && !index) name.append("small").text(` the first of ${count}`);
  const list = box.append("dl");
  const row = (name, value) => {
    if (!value) return;
    list.append("dt").text(name);
    list.append("dd").text(value);
  };
  row("rule", wrong.rule_text);
  row("property", wrong.property);
  row("instead", wrong.instead);
  row("finding", wrong.fingerprint);
}

function folding(section, name, text) {
  if (!text) return;
  const details = section.append("details");
  details.append("summary").text(name);
  details.append("pre").text(text);
}

function copyButton(parent, name, text) {
  if (!text) return;
  const button = parent.append("button").text(name);
  button.on("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.text("copied");
      setTimeout(() => button.text(name), 1500);
    } catch {
      // A browser may give a file no clipboard.
      prompt(name, text);
    }
  });
}

